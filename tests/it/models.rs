//! The committed 3D models: made by code, well-formed, and with the nodes that scenes bind to.
//! In: assets/models and the example that makes it. Never needs a GPU.

#[path = "../../examples/make_models/forge/mod.rs"]
mod forge;

use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The nodes of each file that scenes, links and views name.
const CONTRACT: [(&str, &[&str]); 24] = [
    ("agv.glb", &["body", "beacon", "forks", "load", "charge"]),
    ("cabinet.glb", &["body", "light"]),
    ("chiller.glb", &["body", "coils", "fan", "inlet", "outlet"]),
    ("clock.glb", &["body", "hours", "minutes", "screen", "lamp"]),
    ("compressor.glb", &["body", "fan", "beacon", "inlet", "outlet"]),
    ("controller.glb", &["body", "screen", "bar", "lamp"]),
    ("conveyor.glb", &["frame", "motor", "rollers", "belt", "slats", "pulley", "bottles", "infeed", "outfeed"]),
    ("depalletiser.glb", &["frame", "layer1", "layer2", "layer3", "layer4", "layer5", "outfeed"]),
    ("exchanger.glb", &["frame", "hot", "cold", "inlet", "outlet", "cold_inlet", "cold_outlet"]),
    ("filler.glb", &["carousel", "base", "level", "beacon", "infeed", "outfeed", "product", "air"]),
    ("hall.glb", &["floor", "walls", "markings"]),
    ("labeller.glb", &["body", "drum", "labels", "beacon", "infeed", "outfeed"]),
    ("lathe.glb", &["body", "spindle", "carriage", "tool", "door", "light"]),
    ("palletiser.glb", &["frame", "lift", "pallet", "layers", "waiting", "infeed", "outfeed", "air"]),
    ("pipeline.glb", &["body", "frame", "stripe", "inlet", "outlet"]),
    ("pump.glb", &["casing", "shaft", "motor", "bearing", "cover", "base", "beacon", "inlet", "outlet"]),
    ("rinser.glb", &["carousel", "base", "jets", "beacon", "infeed", "outfeed", "inlet"]),
    (
        "robot.glb",
        &["base", "joint1", "joint2", "joint3", "joint4", "joint5", "joint6", "tool", "cap", "station", "air"],
    ),
    (
        "store.glb",
        &[
            "frame", "pallet1", "pallet2", "pallet3", "pallet4", "pallet5", "pallet6", "pallet7", "pallet8", "pallet9",
            "pallet10", "infeed",
        ],
    ),
    ("supply.glb", &["body", "wheel", "meter", "gauge", "outlet"]),
    ("tank.glb", &["body", "level", "agitator", "drive", "beacon", "inlet", "outlet"]),
    ("tower.glb", &["body", "fan", "motor", "inlet", "outlet"]),
    ("valve.glb", &["body", "stem", "wheel", "position", "inlet", "outlet"]),
    ("vat.glb", &["body", "level", "inlet", "outlet"]),
];

/// Nodes that may carry no geometry: places where pipes and belts attach.
const PORTS: [&str; 9] =
    ["inlet", "outlet", "cold_inlet", "cold_outlet", "infeed", "outfeed", "product", "station", "air"];

struct Glb {
    file: String,
    json: Value,
    binary: Vec<u8>,
}

impl Glb {
    fn parse(file: &str, bytes: &[u8]) -> Self {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(&bytes[..4], b"glTF", "{file}");
        assert_eq!((word(4), word(8)), (2, bytes.len()), "{file}: version and length");
        let json_end = 20 + word(12);
        assert_eq!(&bytes[16..20], b"JSON", "{file}");
        assert_eq!(&bytes[json_end + 4..json_end + 8], b"BIN\0", "{file}");
        let binary = bytes[json_end + 8..].to_vec();
        assert_eq!(word(json_end), binary.len(), "{file}: binary chunk");
        Self { file: file.into(), json: serde_json::from_slice(&bytes[20..json_end]).unwrap(), binary }
    }

    fn nodes(&self) -> &[Value] {
        self.json["nodes"].as_array().unwrap()
    }

    fn node(&self, name: &str) -> &Value {
        self.nodes().iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("{}: no {name}", self.file))
    }

    fn primitives<'a>(&'a self, node: &Value) -> &'a [Value] {
        match node["mesh"].as_u64() {
            Some(mesh) => self.json["meshes"][mesh as usize]["primitives"].as_array().unwrap(),
            None => &[],
        }
    }

    /// Where an accessor's data begins, and how many elements it has.
    fn accessor(&self, number: &Value) -> (usize, usize, &Value) {
        let accessor = &self.json["accessors"][number.as_u64().unwrap() as usize];
        let view = &self.json["bufferViews"][accessor["bufferView"].as_u64().unwrap() as usize];
        let start = view["byteOffset"].as_u64().unwrap() + accessor["byteOffset"].as_u64().unwrap();
        (start as usize, accessor["count"].as_u64().unwrap() as usize, accessor)
    }

    fn vectors(&self, number: &Value) -> Vec<[f32; 3]> {
        let (start, count, _) = self.accessor(number);
        let float = |at: usize| f32::from_le_bytes(self.binary[at..at + 4].try_into().unwrap());
        (0..count).map(|i| [0, 4, 8].map(|k| float(start + 12 * i + k))).collect()
    }

    fn indices(&self, number: &Value) -> Vec<usize> {
        let (start, count, accessor) = self.accessor(number);
        let size = if accessor["componentType"] == 5123 { 2 } else { 4 };
        let index = |at: usize| (0..size).rev().fold(0, |sum, k| sum << 8 | usize::from(self.binary[at + k]));
        (0..count).map(|i| index(start + size * i)).collect()
    }

    /// Lowest and highest corner of a node's own geometry, in its own coordinates.
    fn bounds(&self, name: &str) -> [[f32; 3]; 2] {
        let mut bounds = [[f32::INFINITY; 3], [f32::NEG_INFINITY; 3]];
        for primitive in self.primitives(self.node(name)) {
            for position in self.vectors(&primitive["attributes"]["POSITION"]) {
                for k in 0..3 {
                    bounds[0][k] = bounds[0][k].min(position[k]);
                    bounds[1][k] = bounds[1][k].max(position[k]);
                }
            }
        }
        bounds
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/models")
}

fn committed() -> Vec<Glb> {
    CONTRACT.iter().map(|(file, _)| Glb::parse(file, &fs::read(folder().join(file)).unwrap())).collect()
}

fn model(file: &str) -> Glb {
    Glb::parse(file, &fs::read(folder().join(file)).unwrap())
}

#[test]
fn committed_models_are_what_the_code_makes() {
    let made: BTreeMap<String, Vec<u8>> =
        forge::models().into_iter().map(|model| (model.file.to_owned(), model.bytes)).collect();
    let mut found: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(made.keys().cloned().collect::<Vec<_>>(), found, "files in assets/models");
    for (file, bytes) in made {
        let same = fs::read(folder().join(&file)).unwrap() == bytes;
        assert!(same, "assets/models/{file} differs: run `cargo run --example make_models`");
    }
}

#[test]
fn every_model_has_the_nodes_that_scenes_bind_to_with_finite_geometry() {
    for (glb, (_, names)) in committed().iter().zip(CONTRACT) {
        for name in names {
            let count = glb.nodes().iter().filter(|node| node["name"] == *name).count();
            assert_eq!(count, 1, "{}: nodes named {name}", glb.file);
            if PORTS.contains(name) {
                assert!(glb.node(name)["translation"].is_array(), "{}: {name} is where the machine is", glb.file);
                continue;
            }
            let [low, high] = glb.bounds(name);
            for k in 0..3 {
                let size = high[k] - low[k];
                assert!(size > 0.0 && size < 50.0, "{}: {name} measures {size} m along axis {k}", glb.file);
            }
        }
    }
}

#[test]
fn no_model_names_a_node_that_the_contract_does_not() {
    for (glb, (_, names)) in committed().iter().zip(CONTRACT) {
        for node in glb.nodes() {
            let name = node["name"].as_str().unwrap();
            assert!(names.contains(&name), "{}: {name}", glb.file);
        }
    }
}

#[test]
fn triangles_face_the_way_their_normals_point() {
    let minus = |a: [f32; 3], b: [f32; 3]| [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    for glb in committed() {
        for node in glb.nodes() {
            for primitive in glb.primitives(node) {
                let positions = glb.vectors(&primitive["attributes"]["POSITION"]);
                let normals = glb.vectors(&primitive["attributes"]["NORMAL"]);
                for triangle in glb.indices(&primitive["indices"]).chunks_exact(3) {
                    let [p, q, r] = [0, 1, 2].map(|k| positions[triangle[k]]);
                    let (u, v) = (minus(q, p), minus(r, p));
                    let face = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
                    let along: f32 =
                        (0..3).map(|k| face[k] * triangle.iter().map(|&i| normals[i][k]).sum::<f32>()).sum();
                    // Slivers whose area is lost in rounding have no side.
                    assert!(along > -1e-9, "{}: {} has a triangle inside out at {p:?}", glb.file, node["name"]);
                }
                for normal in normals {
                    let length = normal.map(|part| part * part).iter().sum::<f32>().sqrt();
                    assert!((length - 1.0).abs() < 1e-3, "{}: {} has a normal {normal:?}", glb.file, node["name"]);
                }
            }
        }
    }
}

#[test]
fn colouring_a_node_that_may_be_tinted_colours_no_other() {
    let tinted = [
        ("pump.glb", ["casing", "motor", "bearing", "cover", "beacon"].as_slice()),
        ("exchanger.glb", &["hot", "cold"]),
        ("tank.glb", &["body", "level", "drive", "beacon"]),
        ("filler.glb", &["carousel", "level", "beacon"]),
        ("conveyor.glb", &["frame", "motor", "belt", "bottles"]),
        ("robot.glb", &["joint1", "joint2", "joint3", "joint4", "joint5", "joint6", "tool"]),
        ("palletiser.glb", &["lift", "pallet", "layers"]),
        ("valve.glb", &["body", "wheel", "position"]),
        ("compressor.glb", &["body", "fan", "beacon"]),
        ("chiller.glb", &["body", "coils", "fan"]),
        ("cabinet.glb", &["body", "light"]),
        ("agv.glb", &["body", "beacon", "forks"]),
        ("clock.glb", &["screen", "lamp"]),
        ("controller.glb", &["screen", "bar", "lamp"]),
        ("lathe.glb", &["spindle", "tool", "light"]),
        ("pipeline.glb", &["body", "stripe"]),
        ("supply.glb", &["gauge", "meter"]),
        ("tower.glb", &["fan", "motor"]),
        ("vat.glb", &["level"]),
    ];
    for (file, names) in tinted {
        let glb = model(file);
        let materials = |node: &Value| -> Vec<u64> {
            glb.primitives(node).iter().map(|primitive| primitive["material"].as_u64().unwrap()).collect()
        };
        for name in names {
            let own = materials(glb.node(name));
            for other in glb.nodes().iter().filter(|node| node["name"] != *name) {
                let shared = materials(other).iter().any(|material| own.contains(material));
                assert!(!shared, "{file}: {name} shares a material with {}", other["name"]);
            }
        }
    }
}

#[test]
fn what_fills_stands_on_its_origin() {
    for (file, node, height) in [
        ("tank.glb", "level", 2.05),
        ("palletiser.glb", "layers", 1.5),
        ("vat.glb", "level", 2.35),
        ("filler.glb", "level", 0.9),
        ("controller.glb", "bar", 0.24),
    ] {
        let [low, high] = model(file).bounds(node);
        assert!(low[1].abs() < 0.005, "{file}: {node} begins at {} m", low[1]);
        assert!((high[1] - height).abs() < 0.01, "{file}: {node} is {} m high", high[1]);
    }
}

#[test]
fn what_spins_is_round_about_its_pivot() {
    // (file, node, the two axes across the spin)
    for (file, node, across) in [
        ("tank.glb", "agitator", [0, 2]),
        ("pump.glb", "shaft", [1, 2]),
        ("filler.glb", "carousel", [0, 2]),
        ("labeller.glb", "drum", [0, 2]),
        ("rinser.glb", "carousel", [0, 2]),
        ("compressor.glb", "fan", [0, 1]),
        ("chiller.glb", "fan", [0, 2]),
        ("valve.glb", "wheel", [0, 2]),
        ("tower.glb", "fan", [0, 2]),
        ("pipeline.glb", "stripe", [1, 2]),
        ("lathe.glb", "spindle", [1, 2]),
        ("supply.glb", "meter", [0, 1]),
        ("conveyor.glb", "pulley", [0, 1]),
    ] {
        let [low, high] = model(file).bounds(node);
        for k in across {
            let (off, size) = ((high[k] + low[k]).abs() / 2.0, high[k] - low[k]);
            assert!(off < 0.15 * size, "{file}: {node} is {off} m off its pivot along axis {k}");
        }
    }
}

#[test]
fn robot_joints_hang_one_on_the_other() {
    let robot = model("robot.glb");
    let chain = ["base", "joint1", "joint2", "joint3", "joint4", "joint5", "joint6", "tool", "cap"];
    for pair in chain.windows(2) {
        let children = robot.node(pair[0])["children"].as_array().unwrap();
        let names: Vec<_> =
            children.iter().map(|child| &robot.nodes()[child.as_u64().unwrap() as usize]["name"]).collect();
        assert_eq!(names, [pair[1]], "children of {}", pair[0]);
    }
}

#[test]
fn all_models_together_stay_below_four_mebibytes() {
    let total: u64 = CONTRACT.iter().map(|(file, _)| fs::metadata(folder().join(file)).unwrap().len()).sum();
    assert!(total < 4 * 1024 * 1024, "{total} bytes");
}

#[test]
fn what_is_shown_by_numbers_is_made_of_one_mesh_that_all_places_share() {
    for (file, nodes) in [("store.glb", ["pallet1", "pallet10"]), ("depalletiser.glb", ["layer1", "layer5"])] {
        let glb = model(file);
        let meshes = nodes.map(|name| {
            let positions = glb.primitives(glb.node(name)).iter().map(|one| one["attributes"]["POSITION"].clone());
            positions.collect::<Vec<_>>()
        });
        assert!(!meshes[0].is_empty() && meshes[0] == meshes[1], "{file}: {meshes:?}");
    }
}
