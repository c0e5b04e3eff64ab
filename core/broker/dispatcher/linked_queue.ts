/** First in, first out, with removal from the middle; the members carry the links. */

export interface Linked<T> {
  previous: T | null;
  next: T | null;
}

/** A member is in at most one queue at a time; its owner remembers which. */
export class LinkedQueue<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;

  get first(): T | null {
    return this.#first;
  }

  push(member: T): void {
    member.previous = this.#last;
    if (this.#last === null) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
  }

  remove(member: T): void {
    if (member.previous === null) this.#first = member.next;
    else member.previous.next = member.next;
    if (member.next === null) this.#last = member.previous;
    else member.next.previous = member.previous;
    member.previous = null;
    member.next = null;
  }
}
