// args: one "two words" "" größer
// env: KEY=value with = in it
// env: EMPTY=
// env: PWD=/
// preopen: /
// stdin: first line
// stdin: zweite Zeile: größer
// status: 5
// What the runtime of Go makes of everything at once: files, directories, goroutines that sleep, input, the environment.
// It finds relative paths only below a directory that is called by an absolute path. Without fmt, which takes a megabyte.
package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Writes values with blanks between them, strings in quotes.
func say(what string, values ...any) {
	line := what
	for _, value := range values {
		switch value := value.(type) {
		case string:
			line += " " + strconv.Quote(value)
		case []byte:
			line += " " + strconv.Quote(string(value))
		case int:
			line += " " + strconv.Itoa(value)
		case int64:
			line += " " + strconv.FormatInt(value, 10)
		case bool:
			line += " " + strconv.FormatBool(value)
		case fs.FileMode:
			line += " " + value.String()
		case error:
			line += " " + value.Error()
		case nil:
			line += " nil"
		}
	}
	os.Stdout.WriteString(line + "\n")
}

func said(what string, err error) {
	kinds := map[string]error{
		"exists": fs.ErrExist, "does not exist": fs.ErrNotExist, "not allowed": fs.ErrPermission,
		"closed": fs.ErrClosed, "deadline": os.ErrDeadlineExceeded,
	}
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			say(what, name)
			return
		}
	}
	say(what, err == nil)
}

func files() {
	said("mkdir", os.Mkdir("work", 0o755))
	said("chdir", os.Chdir("work"))
	said("write", os.WriteFile("file", []byte("one\ntwo\n"), 0o644))
	contents, err := os.ReadFile("file")
	say("read", contents, err)
	_, err = os.ReadFile("missing")
	said("read missing", err)
	said("mkdir all", os.MkdirAll("a/b/c", 0o755))
	said("mkdir again", os.Mkdir("a", 0o755))
	said("symlink", os.Symlink("../file", "a/link"))
	said("hard link", os.Link("file", "a/hard"))
	said("hard link again", os.Link("file", "a/hard"))
	target, err := os.Readlink("a/link")
	say("readlink", target, err)
	for i := range 100 {
		os.WriteFile("a/b/"+strconv.Itoa(1000+i), make([]byte, i), 0o600)
	}
	entries, err := os.ReadDir("a/b")
	say("entries", len(entries), entries[0].Name(), entries[99].Name(), entries[100].Name(), entries[100].IsDir(), err)
	var size int64
	filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if info, _ := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	say("sizes", size)
	info, err := os.Stat("a/link")
	say("stat", info.Size(), info.Mode().Type(), err)
	info, err = os.Lstat("a/link")
	say("lstat", info.Mode().Type(), err)
	when := time.Unix(1234567890, 987654321)
	said("times", os.Chtimes("file", when, when))
	info, _ = os.Stat("a/hard")
	say("modified", info.ModTime().UnixNano(), os.SameFile(info, must(os.Stat("file"))))

	file := must(os.OpenFile("file", os.O_RDWR|os.O_APPEND, 0))
	file.WriteString("three\n")
	file.Seek(0, io.SeekStart)
	contents, err = io.ReadAll(file)
	say("read", contents, err)
	said("truncate", file.Truncate(3))
	at := make([]byte, 5)
	count, err := file.ReadAt(at, 1)
	say("read at", count, at[:count], err)
	said("sync", file.Sync())
	said("close", file.Close())
	said("close again", file.Close())
	_, err = os.OpenFile("file", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	said("create exclusively", err)
	said("rename", os.Rename("file", "a/b/c/renamed"))
	said("rename missing", os.Rename("file", "other"))
	said("remove full directory", os.Remove("a"))
	said("remove all", os.RemoveAll("a"))
	entries, err = os.ReadDir(".")
	say("entries", len(entries), err)
	said("chdir", os.Mkdir("sub", 0o755))
	said("chdir", os.Chdir("sub"))
	said("write there", os.WriteFile("there", nil, 0o644))
	said("chdir back", os.Chdir(".."))
	_, err = os.Stat("sub/there")
	said("stat there", err)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func sleeps() {
	start := time.Now()
	var group sync.WaitGroup
	var lock sync.Mutex
	var order []int
	for i := 3; i > 0; i-- {
		group.Go(func() {
			time.Sleep(time.Duration(i) * 25 * time.Millisecond)
			lock.Lock()
			defer lock.Unlock()
			order = append(order, i)
		})
	}
	group.Wait()
	took := time.Since(start)
	say("slept", order[0], order[1], order[2], took >= 75*time.Millisecond && took < 5*time.Second)
	ticker := time.NewTicker(5 * time.Millisecond)
	for range 3 {
		<-ticker.C
	}
	ticker.Stop()
	select {
	case <-time.After(10 * time.Millisecond):
		say("timeout")
	case <-make(chan int):
	}
	say("year", start.Year() >= 2020 && start.Year() < 2100)
}

func main() {
	for _, argument := range os.Args[1:] {
		say("argument", argument)
	}
	variables := os.Environ()
	slices.Sort(variables)
	for _, variable := range variables {
		if strings.HasPrefix(variable, "KEY=") || strings.HasPrefix(variable, "EMPTY=") {
			say("variable", variable)
		}
	}
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		say("line", scanner.Text())
	}
	say("end", scanner.Err())
	files()
	sleeps()
	defer say("not reached")
	os.Exit(5)
}
