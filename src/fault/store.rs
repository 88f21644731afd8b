//! What faults remember as bytes and back. In: numbers, texts, values. Out: bytes of one version and layer, and the same
//! again, bit by bit. Numbers are little-endian; texts and lists carry their length. Pure.

use std::sync::Arc;

use super::{Fault, Layer};
use crate::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};

/// Stored bytes that a list of faults cannot take up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the stored memory of faults is of version {found}, and this program reads version {known}: begin anew")]
    Version { found: u8, known: u8 },
    #[error("the stored memory of faults is damaged, or of another list of faults: begin anew")]
    Damaged,
    #[error("the stored memory is not of the fault `{id}` ({kind}): set the faults that were stored, or begin anew")]
    Fault { id: String, kind: &'static str },
}

pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new(version: u8, layer: Layer) -> Self {
        Self { bytes: vec![version, layer as u8] }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn number(&mut self, x: u64) {
        self.bytes.extend(x.to_le_bytes());
    }

    pub(super) fn float(&mut self, x: f64) {
        self.number(x.to_bits());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.bytes.extend(time.0.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn option<T>(&mut self, some: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(some.is_some()));
        if let Some(some) = some {
            write(self, some);
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Number(x) => {
                self.byte(0);
                self.float(*x);
            }
            Value::Bool(flag) => {
                self.byte(1);
                self.byte(u8::from(*flag));
            }
            Value::Text(text) => {
                self.byte(2);
                self.text(text);
            }
        }
    }

    pub(super) fn sample(&mut self, sample: &Sample) {
        let Sample { signal, source_time, receive_time, value, quality, origin } = sample;
        self.number(u64::from(signal.0));
        self.time(*source_time);
        self.time(*receive_time);
        self.value(value);
        // By their names, which outlive the order of their variants.
        self.bytes(&serde_json::to_vec(&(quality, origin)).unwrap_or_default());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8], known: u8, layer: Layer) -> Result<Self, RestoreError> {
        let mut reader = Self { rest: bytes };
        let found = reader.byte()?;
        if found != known {
            return Err(RestoreError::Version { found, known });
        }
        if reader.byte()? == layer as u8 { Ok(reader) } else { Err(RestoreError::Damaged) }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], RestoreError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(RestoreError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, RestoreError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn flag(&mut self) -> Result<bool, RestoreError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RestoreError::Damaged),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, RestoreError> {
        let bytes = self.take(8)?.try_into().map_err(|_| RestoreError::Damaged)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn float(&mut self) -> Result<f64, RestoreError> {
        Ok(f64::from_bits(self.number()?))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, RestoreError> {
        Ok(Timestamp(self.number()? as i64))
    }

    pub(super) fn bytes(&mut self) -> Result<&'b [u8], RestoreError> {
        let count = usize::try_from(self.number()?).map_err(|_| RestoreError::Damaged)?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'b str, RestoreError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RestoreError::Damaged)
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RestoreError>,
    ) -> Result<Option<T>, RestoreError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(RestoreError::Damaged),
        }
    }

    pub(super) fn value(&mut self) -> Result<Value, RestoreError> {
        Ok(match self.byte()? {
            0 => Value::Number(self.float()?),
            1 => Value::Bool(self.flag()?),
            2 => Value::Text(Arc::from(self.text()?)),
            _ => return Err(RestoreError::Damaged),
        })
    }

    pub(super) fn sample(&mut self) -> Result<Sample, RestoreError> {
        let signal = SignalIndex(u32::try_from(self.number()?).map_err(|_| RestoreError::Damaged)?);
        let (source_time, receive_time, value) = (self.time()?, self.time()?, self.value()?);
        let (quality, origin): (Quality, Origin) =
            serde_json::from_slice(self.bytes()?).map_err(|_| RestoreError::Damaged)?;
        Ok(Sample { signal, source_time, receive_time, value, quality, origin })
    }

    pub(super) fn count(&mut self, wanted: usize) -> Result<(), RestoreError> {
        if self.number()? == wanted as u64 { Ok(()) } else { Err(RestoreError::Damaged) }
    }

    /// The id and the kind of a fault are next.
    pub(super) fn same_fault(&mut self, fault: &Fault) -> Result<(), RestoreError> {
        let kind = fault.kind().name;
        match self.text()? == fault.id && self.text()? == kind {
            true => Ok(()),
            false => Err(RestoreError::Fault { id: fault.id.clone(), kind }),
        }
    }

    /// All has been read.
    pub(super) fn finish(self) -> Result<(), RestoreError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RestoreError::Damaged) }
    }
}
