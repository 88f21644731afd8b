//! The file under a writer. In: bytes in order. Out: a file that grows, in large pieces. Never seeks; what it could not
//! write is forgotten, not tried again behind the writer's back.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that gather before they go to the system.
const BUFFER: usize = 256 << 10;

#[derive(Debug)]
pub struct Disk {
    file: File,
    buffer: Vec<u8>,
    /// Bytes taken. The last ones may wait in the buffer.
    length: Arc<AtomicU64>,
}

impl Disk {
    /// Writes into an empty file. The second one tells how long it is when all is written.
    pub fn new(file: File) -> (Self, Arc<AtomicU64>) {
        let length = Arc::new(AtomicU64::new(0));
        (Self { file, buffer: Vec::with_capacity(BUFFER), length: length.clone() }, length)
    }

    /// The file itself; what waits in the buffer is gone.
    pub fn into_file(self) -> File {
        self.file
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let result = self.file.write_all(&self.buffer);
        self.buffer.clear();
        result
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.write_buffer()?;
        }
        if bytes.len() >= BUFFER {
            self.file.write_all(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_buffer()
    }
}

impl Seek for Disk {
    /// Only where it is.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Current(0) => Ok(self.length.load(Ordering::Relaxed)),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "a recording is written from front to back")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_whatever_their_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let (mut disk, length) = Disk::new(File::create(&path).unwrap());
        let mut all = Vec::new();
        for (n, size) in [3, BUFFER - 2, 1, 2 * BUFFER, 0, 7].into_iter().enumerate() {
            let piece = vec![n as u8; size];
            disk.write_all(&piece).unwrap();
            all.extend(piece);
            assert_eq!(disk.stream_position().unwrap(), all.len() as u64);
        }
        disk.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), all);
        assert_eq!(length.load(Ordering::Relaxed), all.len() as u64);
        assert!(disk.seek(SeekFrom::Start(0)).is_err());
    }
}
