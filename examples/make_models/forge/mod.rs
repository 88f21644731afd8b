//! Makes the machines of the bottling hall.
//! In: nothing. Out: the name and bytes of every model, always the same. Never reads or writes a file.
//!
//! Metres, y up, right-handed; machines face +z and stand on the floor at y = 0; goods flow from -x to +x.
//! `vector` → `mesh` → `solids`, `sweep` (shapes) → `node` + `material` → `machines` → `glb` (bytes).

mod glb;
mod machines;
mod material;
mod mesh;
mod node;
mod solids;
mod sweep;
mod vector;

/// A model's file name and content.
pub struct Model {
    pub file: &'static str,
    pub bytes: Vec<u8>,
}

/// All models, in alphabetical order.
pub fn models() -> Vec<Model> {
    machines::all().into_iter().map(|(file, roots)| Model { file, bytes: glb::write(file, &roots) }).collect()
}
