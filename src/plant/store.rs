//! A plant as bytes and back. In: a plant. Out: bytes that a plant of the same scene takes up and goes on from with the
//! same bits; or why it cannot.

use std::sync::Arc;

use super::Plant;
use super::books::Books;
use super::defects::Defects;
use super::stand_in::{Memory, Position};
use crate::fault::Fault;
use crate::network::{State, StoreError};
use crate::value::{SignalIndex, Value};

/// Of the layout that this file writes.
const VERSION: u8 = 3;
/// What is true of a plant, as bits of one byte: messages of time 0 went out; what is due now is still to come; faults
/// were changed since.
const HAS_BEGUN: u8 = 1;
const IS_OPEN: u8 = 2;
const IS_CHANGED: u8 = 4;
/// No plant runs longer, in nanoseconds, or counts further.
const MOST: u64 = i64::MAX as u64 / 2;

/// Stored bytes that a plant cannot take up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the stored plant is of version {found}, and this program reads version {VERSION}: begin anew")]
    Version { found: u8 },
    #[error("the stored plant is damaged, or of another scene: begin anew")]
    Damaged,
    #[error(transparent)]
    Network(#[from] StoreError),
}

impl Plant {
    /// All that changes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = [(self.has_begun, HAS_BEGUN), (self.is_open, IS_OPEN), (self.is_changed, IS_CHANGED)];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
        let mut to = vec![VERSION, flags];
        let network = self.state.to_bytes(&self.network);
        write_bytes(&mut to, &network);
        write_number(&mut to, self.readers.len() as u64);
        for (_, reader) in &self.readers {
            let memory = &reader.memory;
            for number in [memory.count, memory.time, memory.lagged.to_bits(), memory.late.len() as u64] {
                write_number(&mut to, number);
            }
            for (time, value) in &memory.late {
                write_number(&mut to, *time);
                write_value(&mut to, Some(value));
            }
            write_value(&mut to, memory.shown.as_ref());
        }
        write_number(&mut to, self.stand_ins.len() as u64);
        for actor in self.stand_ins.values() {
            let Memory { own, led, stays, until, count, has_begun } = actor.memory;
            for position in [own, led] {
                for number in [position.time, position.z.to_bits(), u64::from(position.has_begun)] {
                    write_number(&mut to, number);
                }
            }
            [stays, until, count, u64::from(has_begun)].into_iter().for_each(|number| write_number(&mut to, number));
        }
        write_number(&mut to, self.reports.len() as u64);
        for report in &self.reports {
            let memory = &report.memory;
            for number in [memory.sequence, memory.sent, memory.said.len() as u64] {
                write_number(&mut to, number);
            }
            memory.said.iter().for_each(|value| write_value(&mut to, value.as_ref()));
        }
        to.extend(self.defects.to_bytes());
        to
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote. What cannot be taken up changes nothing.
    pub fn restore(&mut self, stored: &[u8]) -> Result<(), RestoreError> {
        let mut from = stored;
        let [version, flags] = take(&mut from)?;
        let is_set = |bit| flags & bit != 0;
        if version != VERSION {
            return Err(RestoreError::Version { found: version });
        }
        let state = State::from_bytes(&self.network, bytes(&mut from)?)?;
        let now = state.time();
        if now > MOST || flags >= 2 * IS_CHANGED || is_set(IS_OPEN) && now == 0 {
            return Err(RestoreError::Damaged);
        }
        let (mut readers, mut reports) = (self.readers.clone(), self.reports.clone());
        count(&mut from, readers.len())?;
        for (_, reader) in &mut readers {
            let memory = &mut reader.memory;
            memory.count = time(&mut from, MOST)?;
            memory.time = time(&mut from, now)?;
            memory.lagged = finite(&mut from)?;
            memory.late.clear();
            for _ in 0..number(&mut from)? {
                let time = time(&mut from, now)?;
                memory.late.push_back((time, value(&mut from)?.ok_or(RestoreError::Damaged)?));
            }
            memory.shown = value(&mut from)?;
        }
        let mut stand_ins = self.stand_ins.clone();
        count(&mut from, stand_ins.len())?;
        for actor in stand_ins.values_mut() {
            let mut position = || {
                let (time, z) = (time(&mut from, now)?, finite(&mut from)?);
                Ok::<_, RestoreError>(Position { time, z, has_begun: number(&mut from)? != 0 })
            };
            let (own, led) = (position()?, position()?);
            let [stays, until, count, has_begun] =
                [number(&mut from)?, number(&mut from)?, time(&mut from, MOST)?, number(&mut from)?];
            if stays >= actor.values() {
                return Err(RestoreError::Damaged);
            }
            actor.memory = Memory { own, led, stays, until, count, has_begun: has_begun != 0 };
        }
        count(&mut from, reports.len())?;
        for report in &mut reports {
            let memory = &mut report.memory;
            memory.sequence = time(&mut from, MOST)?;
            memory.sent = time(&mut from, now)?;
            memory.said.clear();
            for _ in 0..number(&mut from)? {
                memory.said.push(value(&mut from)?);
            }
        }
        let are_possible = |faults: &[Fault], signals: &[SignalIndex]| {
            let are_read = signals.iter().all(|signal| self.readers.iter().any(|(at, _)| at == signal));
            are_read && self.check_faults(faults).is_empty()
        };
        let defects = Defects::restored((self.options.seed, now), from, &are_possible)?;
        (self.state, self.readers, self.stand_ins, self.reports) = (state, readers, stand_ins, reports);
        (self.has_begun, self.is_open, self.is_changed) = (is_set(HAS_BEGUN), is_set(IS_OPEN), is_set(IS_CHANGED));
        (self.books, self.defects) = (Books::default(), defects);
        Ok(())
    }
}

pub(super) fn write_number(to: &mut Vec<u8>, number: u64) {
    to.extend(number.to_le_bytes());
}

pub(super) fn write_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    write_number(to, bytes.len() as u64);
    to.extend(bytes);
}

pub(super) fn write_value(to: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None => to.push(0),
        Some(Value::Number(x)) => {
            to.push(1);
            write_number(to, x.to_bits());
        }
        Some(Value::Bool(flag)) => to.extend([2, u8::from(*flag)]),
        Some(Value::Text(text)) => {
            to.push(3);
            write_bytes(to, text.as_bytes());
        }
    }
}

pub(super) fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], RestoreError> {
    let (taken, rest) = from.split_first_chunk().ok_or(RestoreError::Damaged)?;
    *from = rest;
    Ok(*taken)
}

pub(super) fn number(from: &mut &[u8]) -> Result<u64, RestoreError> {
    Ok(u64::from_le_bytes(take(from)?))
}

/// Nanoseconds or a count, up to `most`.
pub(super) fn time(from: &mut &[u8], most: u64) -> Result<u64, RestoreError> {
    number(from).and_then(|time| if time <= most { Ok(time) } else { Err(RestoreError::Damaged) })
}

fn finite(from: &mut &[u8]) -> Result<f64, RestoreError> {
    let x = f64::from_bits(number(from)?);
    if x.is_finite() { Ok(x) } else { Err(RestoreError::Damaged) }
}

pub(super) fn bytes<'b>(from: &mut &'b [u8]) -> Result<&'b [u8], RestoreError> {
    let length = usize::try_from(number(from)?).map_err(|_| RestoreError::Damaged)?;
    let (bytes, rest) = from.split_at_checked(length).ok_or(RestoreError::Damaged)?;
    *from = rest;
    Ok(bytes)
}

pub(super) fn text<'b>(from: &mut &'b [u8]) -> Result<&'b str, RestoreError> {
    std::str::from_utf8(bytes(from)?).map_err(|_| RestoreError::Damaged)
}

fn count(from: &mut &[u8], wanted: usize) -> Result<(), RestoreError> {
    if number(from)? == wanted as u64 { Ok(()) } else { Err(RestoreError::Damaged) }
}

pub(super) fn value(from: &mut &[u8]) -> Result<Option<Value>, RestoreError> {
    Ok(match take::<1>(from)? {
        [0] => None,
        [1] => Some(Value::Number(f64::from_bits(number(from)?))),
        [2] => Some(Value::Bool(take::<1>(from)? != [0])),
        [3] => Some(Value::Text(Arc::from(text(from)?))),
        _ => return Err(RestoreError::Damaged),
    })
}
