//! The memory of producers as bytes. In: numbers and texts. Out: a versioned blob, and the same numbers and texts again,
//! bit by bit. All numbers are little-endian; texts and lists carry their length. Pure.

use crate::value::Timestamp;

/// What one producer remembers, as it stands in keyframes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProducerState {
    /// Of the layout of `data`, which is the producer's own.
    pub version: u16,
    pub data: Vec<u8>,
}

/// A stored memory that cannot be taken up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StateError {
    #[error("its stored memory is of version {found}, and this program reads version {known}: it begins anew")]
    Version { found: u16, known: u16 },
    #[error("its stored memory is damaged: it begins anew")]
    Damaged,
    #[error("its stored memory belongs to another expression: it begins anew")]
    Changed,
}

/// Writes a blob.
#[derive(Debug, Default)]
pub struct StateWriter {
    data: Vec<u8>,
}

impl StateWriter {
    pub fn u64(&mut self, x: u64) {
        self.data.extend(x.to_le_bytes());
    }

    /// With all its bits.
    pub fn f64(&mut self, x: f64) {
        self.u64(x.to_bits());
    }

    pub fn time(&mut self, time: Timestamp) {
        self.data.extend(time.0.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.data.extend(bytes);
    }

    pub fn finish(self, version: u16) -> ProducerState {
        ProducerState { version, data: self.data }
    }
}

/// Reads what a [`StateWriter`] wrote.
#[derive(Debug)]
pub struct StateReader<'d> {
    rest: &'d [u8],
}

impl<'d> StateReader<'d> {
    /// Refuses other versions than `known`.
    pub fn new(state: &'d ProducerState, known: u16) -> Result<Self, StateError> {
        match state.version == known {
            true => Ok(Self { rest: &state.data }),
            false => Err(StateError::Version { found: state.version, known }),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'d [u8], StateError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(StateError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn u64(&mut self) -> Result<u64, StateError> {
        let bytes = self.take(8)?.try_into().map_err(|_| StateError::Damaged)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub fn f64(&mut self) -> Result<f64, StateError> {
        Ok(f64::from_bits(self.u64()?))
    }

    pub fn time(&mut self) -> Result<Timestamp, StateError> {
        Ok(Timestamp(self.u64()? as i64))
    }

    pub fn bytes(&mut self) -> Result<&'d [u8], StateError> {
        let count = usize::try_from(self.u64()?).map_err(|_| StateError::Damaged)?;
        self.take(count)
    }

    /// All has been read.
    pub fn finish(self) -> Result<(), StateError> {
        if self.rest.is_empty() { Ok(()) } else { Err(StateError::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_bit_by_bit() {
        let mut writer = StateWriter::default();
        writer.f64(-0.0);
        writer.f64(f64::NAN);
        writer.time(Timestamp(-7));
        writer.bytes(b"abc");
        let state = writer.finish(3);
        let mut reader = StateReader::new(&state, 3).unwrap();
        assert_eq!(reader.f64().unwrap().to_bits(), (-0.0_f64).to_bits());
        assert!(reader.f64().unwrap().is_nan());
        assert_eq!((reader.time(), reader.bytes()), (Ok(Timestamp(-7)), Ok(&b"abc"[..])));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn what_is_cut_too_long_or_of_another_version_is_refused() {
        let mut writer = StateWriter::default();
        writer.bytes(b"abc");
        let state = writer.finish(1);
        assert_eq!(StateReader::new(&state, 2).unwrap_err(), StateError::Version { found: 1, known: 2 });
        for end in 0..state.data.len() {
            let cut = ProducerState { version: 1, data: state.data[..end].to_vec() };
            assert_eq!(StateReader::new(&cut, 1).unwrap().bytes(), Err(StateError::Damaged), "cut at {end}");
        }
        assert_eq!(StateReader::new(&state, 1).unwrap().finish(), Err(StateError::Damaged), "something is left");
        let huge = ProducerState { version: 1, data: u64::MAX.to_le_bytes().to_vec() };
        assert_eq!(StateReader::new(&huge, 1).unwrap().bytes(), Err(StateError::Damaged));
    }
}
