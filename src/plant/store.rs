//! A plant as bytes and back. In: a plant. Out: bytes that a plant of the same scene takes up and goes on from with the
//! same bits; or why it cannot.

use std::sync::Arc;

use super::Plant;
use super::books::Books;
use super::defects::Defects;
use super::stand_in::{Memory, Position};
use crate::network::{State, StoreError};
use crate::value::Value;

/// Of the layout that this file writes.
const VERSION: u8 = 3;

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
        let mut to = vec![VERSION, u8::from(self.has_begun)];
        let network = self.state.to_bytes(&self.network);
        write_number(&mut to, network.len() as u64);
        to.extend(network);
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
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = bytes;
        let [version, has_begun] = take(&mut from)?;
        if version != VERSION {
            return Err(RestoreError::Version { found: version });
        }
        let length = usize::try_from(number(&mut from)?).map_err(|_| RestoreError::Damaged)?;
        let (network, rest) = from.split_at_checked(length).ok_or(RestoreError::Damaged)?;
        from = rest;
        let state = State::from_bytes(&self.network, network)?;
        let (mut readers, mut reports) = (self.readers.clone(), self.reports.clone());
        count(&mut from, readers.len())?;
        for (_, reader) in &mut readers {
            let memory = &mut reader.memory;
            memory.count = number(&mut from)?;
            memory.time = number(&mut from)?;
            memory.lagged = f64::from_bits(number(&mut from)?);
            memory.late.clear();
            for _ in 0..number(&mut from)? {
                let time = number(&mut from)?;
                memory.late.push_back((time, value(&mut from)?.ok_or(RestoreError::Damaged)?));
            }
            memory.shown = value(&mut from)?;
        }
        let mut stand_ins = self.stand_ins.clone();
        count(&mut from, stand_ins.len())?;
        for actor in stand_ins.values_mut() {
            let mut position = || {
                let (time, z) = (number(&mut from)?, f64::from_bits(number(&mut from)?));
                Ok::<_, RestoreError>(Position { time, z, has_begun: number(&mut from)? != 0 })
            };
            let (own, led) = (position()?, position()?);
            let [stays, until, count, has_begun] =
                [number(&mut from)?, number(&mut from)?, number(&mut from)?, number(&mut from)?];
            if stays >= actor.values() {
                return Err(RestoreError::Damaged);
            }
            actor.memory = Memory { own, led, stays, until, count, has_begun: has_begun != 0 };
        }
        count(&mut from, reports.len())?;
        for report in &mut reports {
            let memory = &mut report.memory;
            memory.sequence = number(&mut from)?;
            memory.sent = number(&mut from)?;
            memory.said.clear();
            for _ in 0..number(&mut from)? {
                memory.said.push(value(&mut from)?);
            }
        }
        let defects = Defects::restored(self.options.seed, from).ok_or(RestoreError::Damaged)?;
        (self.state, self.readers, self.stand_ins) = (state, readers, stand_ins);
        (self.reports, self.has_begun) = (reports, has_begun != 0);
        (self.books, self.defects) = (Books::default(), defects);
        Ok(())
    }
}

fn write_number(to: &mut Vec<u8>, number: u64) {
    to.extend(number.to_le_bytes());
}

fn write_value(to: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None => to.push(0),
        Some(Value::Number(x)) => {
            to.push(1);
            write_number(to, x.to_bits());
        }
        Some(Value::Bool(flag)) => to.extend([2, u8::from(*flag)]),
        Some(Value::Text(text)) => {
            to.push(3);
            write_number(to, text.len() as u64);
            to.extend(text.as_bytes());
        }
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], RestoreError> {
    let (taken, rest) = from.split_first_chunk().ok_or(RestoreError::Damaged)?;
    *from = rest;
    Ok(*taken)
}

fn number(from: &mut &[u8]) -> Result<u64, RestoreError> {
    Ok(u64::from_le_bytes(take(from)?))
}

fn count(from: &mut &[u8], wanted: usize) -> Result<(), RestoreError> {
    if number(from)? == wanted as u64 { Ok(()) } else { Err(RestoreError::Damaged) }
}

fn value(from: &mut &[u8]) -> Result<Option<Value>, RestoreError> {
    Ok(match take::<1>(from)? {
        [0] => None,
        [1] => Some(Value::Number(f64::from_bits(number(from)?))),
        [2] => Some(Value::Bool(take::<1>(from)? != [0])),
        [3] => {
            let length = usize::try_from(number(from)?).map_err(|_| RestoreError::Damaged)?;
            let (text, rest) = from.split_at_checked(length).ok_or(RestoreError::Damaged)?;
            *from = rest;
            let text = std::str::from_utf8(text).map_err(|_| RestoreError::Damaged)?;
            Some(Value::Text(Arc::from(text)))
        }
        _ => return Err(RestoreError::Damaged),
    })
}
