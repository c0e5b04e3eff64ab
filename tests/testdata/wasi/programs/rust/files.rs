// What std::fs makes of a directory: reading, metadata, links, renaming, times, and ways to open.
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::time::{Duration, SystemTime};

fn said<T: std::fmt::Debug>(what: &str, result: Result<T>) {
    match result {
        Ok(value) => println!("{what}: {value:?}"),
        Err(error) => println!("{what}: {:?}", error.kind()),
    }
}

fn list(path: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let sign = if kind.is_dir() { "/" } else if kind.is_symlink() { "@" } else { "" };
        names.push(format!("{}{sign}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

fn symlink(target: &str, link: &str) -> Result<()> {
    #[cfg(target_os = "wasi")]
    {
        extern "C" {
            fn symlink(target: *const std::ffi::c_char, link: *const std::ffi::c_char) -> i32;
        }
        let (target, link) = (std::ffi::CString::new(target)?, std::ffi::CString::new(link)?);
        if unsafe { symlink(target.as_ptr(), link.as_ptr()) } == 0 {
            return Ok(());
        }
        Err(std::io::Error::last_os_error())
    }
    #[cfg(not(target_os = "wasi"))]
    std::os::unix::fs::symlink(target, link)
}

fn main() -> Result<()> {
    said("write", fs::write("file", "one\ntwo\n"));
    said("read", fs::read_to_string("file"));
    said("read missing", fs::read("missing"));
    said("create_dir_all", fs::create_dir_all("a/b/c"));
    said("create_dir again", fs::create_dir("a"));
    said("copy", fs::copy("file", "a/copy"));
    said("hard_link", fs::hard_link("file", "a/hard"));
    said("hard_link onto", fs::hard_link("file", "a/copy"));
    said("symlink", symlink("../file", "a/link"));
    said("symlink dangling", symlink("nowhere", "a/dangling"));
    said("symlink onto", symlink("file", "a/link"));
    said("read_link", fs::read_link("a/link"));
    said("read_link of a file", fs::read_link("file"));
    said("list .", list("."));
    said("list a", list("a"));
    said("list file", list("file"));
    said("read through link", fs::read_to_string("a/link"));
    said("read dangling", fs::read_to_string("a/dangling"));
    said("exists", fs::exists("a/dangling"));
    said("metadata", fs::metadata("a/link").map(|m| (m.is_file(), m.is_dir(), m.len())));
    said("symlink_metadata", fs::symlink_metadata("a/link").map(|m| (m.is_symlink(), m.is_file(), m.len())));
    said("metadata of a directory", fs::metadata("a").map(|m| (m.is_dir(), m.is_file())));

    said("create_new", OpenOptions::new().write(true).create_new(true).open("file").map(|_| ()));
    let mut appended = OpenOptions::new().append(true).read(true).open("file")?;
    said("seek", appended.seek(SeekFrom::Start(2)));
    said("append", appended.write_all(b"three\n"));
    said("position", appended.stream_position());
    said("rewind", appended.rewind());
    let mut text = String::new();
    said("read appended", appended.read_to_string(&mut text).map(|_| text));
    said("write to a file opened for reading", File::open("file")?.write(b"x"));
    said("read a directory", File::open("a").and_then(|mut file| file.read(&mut [0; 4])));

    let file = OpenOptions::new().write(true).open("file")?;
    said("set_len", file.set_len(3));
    let (accessed, modified) = (Duration::new(1_000_000_000, 1), Duration::new(1_234_567_890, 987_654_321));
    let times = FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH + accessed).set_modified(SystemTime::UNIX_EPOCH + modified);
    said("set_times", file.set_times(times));
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let metadata = file.metadata()?;
    said("times", Ok((metadata.len(), since(metadata.modified()?), since(metadata.accessed()?))));
    said("times of the link", fs::metadata("a/hard")?.modified().map(since));
    said("sync", file.sync_all().and(file.sync_data()));

    said("rename", fs::rename("file", "a/b/renamed"));
    said("rename missing", fs::rename("file", "other"));
    said("rename onto", fs::rename("a/copy", "a/hard"));
    said("read renamed", fs::read_to_string("a/b/renamed"));
    said("rename directory", fs::rename("a/b", "b"));
    said("rename into itself", fs::rename("b", "b/c/d"));
    // Of what kind this is, std knows on Linux only.
    said("remove_dir that is not empty", fs::remove_dir("b").map_err(|_| std::io::ErrorKind::Other.into()));
    said("remove_file of a directory", fs::remove_file("b").map_err(|_| std::io::ErrorKind::Other.into()));
    said("remove_file", fs::remove_file("b/renamed"));
    said("remove_dir_all", fs::remove_dir_all("b"));
    said("list a", list("a"));
    said("remove_dir_all with links", fs::remove_dir_all("a"));
    said("list .", list("."));
    Ok(())
}
