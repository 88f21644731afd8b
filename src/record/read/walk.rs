//! A walk over the records of a file from front to back, with nothing but their heads read. In: a file. Out: where each
//! record stands, and where the walk had to end.

use super::ReadError;
use super::file::{Source, Window};
use super::wire::{Fields, HEAD, MAGIC, op};

/// A CRC. What else says that it is the end of the data is a bent record.
const DATA_END_BODY: u64 = 4;

/// A record in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub op: u8,
    pub offset: u64,
    /// With the record's head.
    pub length: u64,
}

impl Step {
    pub fn end(&self) -> u64 {
        self.offset + self.length
    }

    /// Where what it holds begins, and how long that is.
    pub fn body(&self) -> (u64, u64) {
        (self.offset + HEAD, self.length - HEAD)
    }
}

pub(super) struct Walk<'s> {
    pub window: Window<'s>,
    len: u64,
    /// Where the next record begins.
    pub at: u64,
    /// Whether the data section has ended as it should.
    pub is_finished: bool,
}

impl<'s> Walk<'s> {
    pub fn new(source: &'s Source) -> Self {
        Self { window: Window::new(source), len: source.len(), at: MAGIC.len() as u64, is_finished: false }
    }

    /// The next record of the data section; none where it ends, or where no whole record stands.
    pub fn next(&mut self) -> Result<Option<Step>, ReadError> {
        if self.is_finished {
            return Ok(None);
        }
        let Some(head) = self.window.read(self.at, HEAD)? else { return Ok(None) };
        let mut fields = Fields(head);
        let (Some(op), Some(body)) = (fields.u8(), fields.u64()) else { return Ok(None) };
        let Some(length) = body.checked_add(HEAD).filter(|length| *length <= self.len - self.at) else {
            return Ok(None);
        };
        // No record has the opcode 0; a disk that was full or lost power leaves zeros.
        if op == 0 || op == op::FOOTER {
            return Ok(None);
        }
        let step = Step { op, offset: self.at, length };
        if op == op::DATA_END && body == DATA_END_BODY {
            self.is_finished = true;
            return Ok(None);
        }
        self.at = step.end();
        Ok(Some(step))
    }

    /// What a record holds, at most its first `most` bytes.
    pub fn body(&mut self, step: Step, most: u64) -> Result<&[u8], ReadError> {
        let (offset, length) = step.body();
        Ok(self.window.read(offset, length.min(most))?.unwrap_or_default())
    }
}
