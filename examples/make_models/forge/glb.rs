//! Writes a tree of nodes as binary glTF 2.0.
//! In: root nodes. Out: the bytes of a `.glb` file, the same for the same nodes. Never touches the disk.
//!
//! Layout after the Khronos glTF 2.0 specification, section 4.4 (GLB): a header of 12 bytes, a JSON chunk padded with
//! spaces, a binary chunk padded with zeros. Numbers are rounded before they are written, so that the last bit of a
//! platform's sine does not change the file.

use super::{material::Material, mesh::Mesh, node::Node};
use serde_json::{Value, json};
use std::collections::HashMap;

const MAGIC: u32 = 0x4654_6C67;
const CHUNK_JSON: u32 = 0x4E4F_534A;
const CHUNK_BIN: u32 = 0x004E_4942;
const FLOAT: u32 = 5126;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_INT: u32 = 5125;
const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;
/// Bytes of one position or normal.
const STRIDE: usize = 12;

/// The bytes of a `.glb` file whose scene holds `roots`.
pub fn write(name: &str, roots: &[Node]) -> Vec<u8> {
    let mut writer = Writer::default();
    let scene: Vec<usize> = roots.iter().map(|root| writer.node(root)).collect();
    writer.finish(name, &scene)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Position,
    Normal,
    Index16,
    Index32,
}

#[derive(Default)]
struct Writer {
    /// Positions and normals, each of [`STRIDE`] bytes.
    vertices: Vec<u8>,
    indices: Vec<u8>,
    accessors: Vec<Value>,
    /// Numbers of accessors by their kind and content: what is equal is stored once.
    known: HashMap<(Kind, Vec<u8>), usize>,
    meshes: Vec<Value>,
    nodes: Vec<Value>,
    /// Name in the file, and the material: a tinted node has copies of its own.
    materials: Vec<(String, Material)>,
}

impl Writer {
    /// Children first, so that their numbers are known. Returns the number of the node.
    fn node(&mut self, node: &Node) -> usize {
        let children: Vec<usize> = node.children.iter().map(|child| self.node(child)).collect();
        let mut value = json!({ "name": node.name });
        let at = node.at.map(rounded);
        if at != [0.0; 3] {
            value["translation"] = json!(at.map(decimal));
        }
        if !children.is_empty() {
            value["children"] = json!(children);
        }
        if !node.meshes.is_empty() {
            let primitives: Vec<Value> = node.meshes.iter().map(|(m, mesh)| self.primitive(node, m, mesh)).collect();
            self.meshes.push(json!({ "name": node.name, "primitives": primitives }));
            value["mesh"] = json!(self.meshes.len() - 1);
        }
        self.nodes.push(value);
        self.nodes.len() - 1
    }

    fn primitive(&mut self, node: &Node, material: &Material, mesh: &Mesh) -> Value {
        let name = if node.tinted { format!("{}: {}", node.name, material.name) } else { material.name.to_owned() };
        let material = self.materials.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.materials.push((name, *material));
            self.materials.len() - 1
        });
        let welded = weld(mesh);
        let positions = self.vectors(&welded.positions, Kind::Position);
        let normals = self.vectors(&welded.normals, Kind::Normal);
        let indices = self.triangles(welded.positions.len(), &welded.indices);
        json!({ "attributes": { "POSITION": positions, "NORMAL": normals }, "indices": indices, "material": material })
    }

    fn vectors(&mut self, vectors: &[[f32; 3]], kind: Kind) -> usize {
        let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        if let Some(known) = self.known.get(&(kind, bytes.clone())) {
            return *known;
        }
        let mut accessor = json!({
            "bufferView": 0, "byteOffset": self.vertices.len(), "componentType": FLOAT,
            "count": vectors.len(), "type": "VEC3",
        });
        self.vertices.extend(&bytes);
        if kind == Kind::Position {
            // The bounds must equal the stored values exactly, so they are written as the doubles of these floats.
            let fold = |start: f32, pick: fn(f32, f32) -> f32| {
                [0, 1, 2].map(|k| vectors.iter().fold(start, |found, vector| pick(found, vector[k])))
            };
            accessor["min"] = json!(fold(f32::INFINITY, f32::min));
            accessor["max"] = json!(fold(f32::NEG_INFINITY, f32::max));
        }
        self.stored(accessor, (kind, bytes))
    }

    fn triangles(&mut self, vertices: usize, indices: &[u32]) -> usize {
        // Index 65535 is reserved (primitive restart), so 65535 vertices are the most that 16 bits can name.
        let short = vertices <= usize::from(u16::MAX);
        let mut bytes = Vec::with_capacity(4 * indices.len());
        for index in indices {
            match u16::try_from(*index) {
                Ok(index) if short => bytes.extend(index.to_le_bytes()),
                _ => bytes.extend(index.to_le_bytes()),
            }
        }
        let kind = if short { Kind::Index16 } else { Kind::Index32 };
        if let Some(known) = self.known.get(&(kind, bytes.clone())) {
            return *known;
        }
        let offset = self.indices.len();
        self.indices.extend(&bytes);
        self.indices.resize(self.indices.len().next_multiple_of(4), 0);
        let accessor = json!({
            "bufferView": 1, "byteOffset": offset,
            "componentType": if short { UNSIGNED_SHORT } else { UNSIGNED_INT },
            "count": indices.len(), "type": "SCALAR",
        });
        self.stored(accessor, (kind, bytes))
    }

    fn stored(&mut self, accessor: Value, content: (Kind, Vec<u8>)) -> usize {
        self.accessors.push(accessor);
        self.known.insert(content, self.accessors.len() - 1);
        self.accessors.len() - 1
    }

    fn finish(self, name: &str, scene: &[usize]) -> Vec<u8> {
        let materials: Vec<Value> = self.materials.iter().map(|(name, m)| material_json(name, m)).collect();
        let mut document = json!({
            "asset": { "version": "2.0", "generator": "pollux make_models" },
            "scene": 0,
            "scenes": [{ "name": name, "nodes": scene }],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": materials,
            "accessors": self.accessors,
            "bufferViews": [
                { "buffer": 0, "byteOffset": 0, "byteLength": self.vertices.len(), "byteStride": STRIDE,
                  "target": ARRAY_BUFFER },
                { "buffer": 0, "byteOffset": self.vertices.len(), "byteLength": self.indices.len(),
                  "target": ELEMENT_ARRAY_BUFFER },
            ],
            "buffers": [{ "byteLength": self.vertices.len() + self.indices.len() }],
        });
        // Another crate may switch on insertion order in serde_json: sorted is the same either way.
        document.sort_all_objects();
        let mut text = document.to_string().into_bytes();
        text.resize(text.len().next_multiple_of(4), b' ');
        let mut binary = self.vertices;
        binary.extend(self.indices);

        let total = 12 + 8 + text.len() + 8 + binary.len();
        let mut file = Vec::with_capacity(total);
        for word in [MAGIC, 2, total as u32, text.len() as u32, CHUNK_JSON] {
            file.extend(word.to_le_bytes());
        }
        file.extend(text);
        for word in [binary.len() as u32, CHUNK_BIN] {
            file.extend(word.to_le_bytes());
        }
        file.extend(binary);
        file
    }
}

/// A mesh as it is stored: rounded, equal vertices shared, triangles without area gone.
#[derive(Default)]
struct Welded {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

fn weld(mesh: &Mesh) -> Welded {
    let mut welded = Welded::default();
    // Positions are shared at their rounding, normals at a quarter of a degree. The map is only asked, never walked,
    // so its order cannot reach the file.
    let mut known: HashMap<([u32; 3], [i32; 3]), u32> = HashMap::new();
    let mut stored = |index: u32| {
        let position = mesh.positions[index as usize].map(rounded);
        let normal = mesh.normals[index as usize];
        let key = (position.map(f32::to_bits), normal.map(|part| (part * 256.0).round() as i32));
        *known.entry(key).or_insert_with(|| {
            welded.positions.push(position);
            welded.normals.push(normal.map(rounded));
            welded.positions.len() as u32 - 1
        })
    };
    let mut indices = Vec::with_capacity(mesh.indices.len());
    for triangle in mesh.indices.chunks_exact(3) {
        let corners = [triangle[0], triangle[1], triangle[2]].map(&mut stored);
        indices.push(corners);
    }
    let positions = &welded.positions;
    indices.retain(|corners| {
        let [a, b, c] = corners.map(|corner| positions[corner as usize]);
        a != b && b != c && c != a
    });
    welded.indices = indices.into_iter().flatten().collect();
    welded
}

fn material_json(name: &str, material: &Material) -> Value {
    let [_, r, g, b] = material.colour.to_be_bytes().map(linear);
    let mut value = json!({
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [r, g, b, material.alpha],
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        },
    });
    if material.alpha < 1.0 {
        value["alphaMode"] = json!("BLEND");
        value["doubleSided"] = json!(true);
    }
    value
}

/// IEC 61966-2-1: an 8-bit sRGB channel as linear light, to four decimals.
fn linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    let light = if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
    (light * 1e4).round() / 1e4
}

/// To a hundredth of a millimetre. Adding zero turns -0 into 0.
fn rounded(value: f64) -> f32 {
    ((value * 1e5).round() / 1e5 + 0.0) as f32
}

/// The shortest decimal of a float, so that the text holds 0.1 and not 0.10000000149.
fn decimal(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
