//! Hashes all samples of a run. In: samples in the one order. Out: a hash that is equal wherever the same samples were
//! learnt in the same order. Names signals as the scene does, never by index.

use std::hash::Hasher;

use twox_hash::XxHash3_128;

use crate::scene::Scene;
use crate::value::{Sample, Value};

#[derive(Clone)]
pub(super) struct SampleDigest {
    /// By signal.
    names: Vec<u64>,
    state: XxHash3_128,
    samples: u64,
    /// What the hash has not taken in yet: it takes much at once faster.
    waiting: Vec<u8>,
}

/// So many bytes are taken in at once.
const AT_ONCE: usize = 4096;

impl std::fmt::Debug for SampleDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SampleDigest").field("samples", &self.samples).finish_non_exhaustive()
    }
}

impl SampleDigest {
    pub fn new(scene: &Scene) -> Self {
        let mut digest = Self {
            names: Vec::new(),
            state: XxHash3_128::with_seed(0),
            samples: 0,
            waiting: Vec::with_capacity(2 * AT_ONCE),
        };
        digest.rename(scene);
        digest
    }

    /// Another scene takes over.
    pub fn rename(&mut self, scene: &Scene) {
        let name = |signal: &crate::scene::Signal| {
            let mut hasher = twox_hash::XxHash64::with_seed(0);
            hasher.write(scene.signal_path(signal.index).as_bytes());
            hasher.finish()
        };
        self.names = scene.signals.iter().map(name).collect();
    }

    pub fn add(&mut self, sample: &Sample) {
        let Sample { signal, source_time, receive_time, value, quality, origin } = sample;
        self.samples += 1;
        let (kind, bits) = match value {
            Value::Number(x) => (0, x.to_bits()),
            Value::Bool(b) => (1, u64::from(*b)),
            Value::Text(text) => (2, text.len() as u64),
        };
        let mut bytes = [0; 36];
        let name = self.names.get(signal.at()).copied().unwrap_or_default();
        bytes[..8].copy_from_slice(&name.to_le_bytes());
        bytes[8..16].copy_from_slice(&source_time.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&receive_time.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&[kind, quality.grade as u8, quality.reason as u8, *origin as u8]);
        bytes[28..].copy_from_slice(&bits.to_le_bytes());
        self.waiting.extend_from_slice(&bytes);
        if let Value::Text(text) = value {
            self.waiting.extend_from_slice(text.as_bytes());
        }
        if self.waiting.len() >= AT_ONCE {
            self.state.write(&self.waiting);
            self.waiting.clear();
        }
    }

    pub fn finish(&self) -> u128 {
        let mut state = self.state.clone();
        state.write(&self.waiting);
        state.finish_128()
    }
}
