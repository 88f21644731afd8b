//! The files that a scene is made of, so that a recording explains itself on another machine.
//!
//! In: a loaded scene. Out: names and contents for attachments: the texts as they were when the scene was read, models and
//! what these refer to as they are when they are written. Never takes a file that holds a secret: those are no part of a
//! scene, which only names them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::format::SCENE_PREFIX;
use crate::scene::Scene;

/// Larger models are left out, and people are told.
const LARGEST: u64 = 256 << 20;

/// What becomes attachments. The names are relative to the folder that all files have in common, so that they find each
/// other again wherever that folder is made anew.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SceneFiles {
    /// The attachment to load the scene from.
    pub scene_file: String,
    /// By name.
    pub files: BTreeMap<String, Content>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    Text(Arc<str>),
    /// Read when it is written.
    File(PathBuf),
}

impl SceneFiles {
    pub fn of(scene: &Scene) -> Self {
        let texts = scene.sources.iter().map(|file| (plain(&file.path), Content::Text(file.text.clone())));
        let models = scene.twins.iter().filter_map(|twin| twin.look.as_ref()?.model.as_deref());
        let models: std::collections::BTreeSet<PathBuf> = models.map(plain).collect();
        let models = models.into_iter().flat_map(|model| {
            let parts: Vec<_> = referred_by(&model).iter().map(|path| plain(path)).collect();
            std::iter::once(model).chain(parts).map(|path| (path.clone(), Content::File(path)))
        });
        // A text wins over a file of the same name: it is what the scene was made of.
        let mut all: BTreeMap<PathBuf, Content> = models.collect();
        all.extend(texts);
        let root = common_folder(all.keys());
        let name = |path: &Path| {
            let inside: Vec<_> = path.components().skip(root).map(|part| part.as_os_str().to_string_lossy()).collect();
            format!("{SCENE_PREFIX}{}", inside.join("/"))
        };
        Self {
            scene_file: if scene.sources.is_empty() { String::new() } else { name(&plain(&scene.path)) },
            files: all.into_iter().map(|(path, content)| (name(&path), content)).collect(),
        }
    }
}

impl Content {
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Content::Text(text) => Ok(text.as_bytes().to_vec()),
            Content::File(path) => {
                let mut bytes = Vec::new();
                std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > LARGEST {
                    return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
                }
                Ok(bytes)
            }
        }
    }
}

/// By the ending of a name (IANA, media types).
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "ron" => "text/plain; charset=utf-8",
        "csv" => "text/csv",
        "glb" => "model/gltf-binary",
        "gltf" => "model/gltf+json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}

/// Absolute, without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}

/// How many components all of these files have in common, without their own names.
fn common_folder<'p>(mut paths: impl Iterator<Item = &'p PathBuf>) -> usize {
    let Some(first) = paths.next() else { return 0 };
    let folder: Vec<_> = first.parent().into_iter().flat_map(Path::components).collect();
    paths.fold(folder.len(), |common, path| {
        let parts = path.parent().into_iter().flat_map(Path::components);
        folder.iter().zip(parts).take(common).take_while(|(a, b)| **a == *b).count()
    })
}

/// Buffers and pictures beside a `.gltf` file (glTF 2.0, section 3.6.1.1); a `.glb` holds its own.
fn referred_by(model: &Path) -> Vec<PathBuf> {
    if !model.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gltf")) {
        return Vec::new();
    }
    let text = Content::File(model.to_owned()).read().unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let folder = model.parent().unwrap_or(Path::new(""));
    let listed = ["buffers", "images"].into_iter().filter_map(|list| json.get(list)?.as_array()).flatten();
    let uris = listed.filter_map(|item| item.get("uri")?.as_str());
    uris.filter(|uri| !uri.starts_with("data:") && !uri.contains("://")).map(|uri| folder.join(uri)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::scene::{Limits, Look, Signal, SignalSource, SourceFile, Twin, ValueKind};
    use crate::value::{SignalIndex, TwinIndex, Unit};

    /// `P-101.flow`.
    pub fn scene_of_one_signal() -> Scene {
        let twin = Twin {
            index: TwinIndex(0),
            id: "P-101".into(),
            name: String::new(),
            type_name: "Pump".into(),
            area: String::new(),
            at: [0.0; 3],
            facing_deg: 0.0,
            scale: 1.0,
            signals: 0..1,
            look: None,
        };
        let signal = Signal {
            index: SignalIndex(0),
            twin: TwinIndex(0),
            name: "flow".into(),
            label: String::new(),
            kind: ValueKind::Number,
            unit: Unit::none(),
            source: SignalSource::Unbound,
            expires: None,
            range: None,
            limits: Limits::default(),
        };
        Scene { twins: vec![twin], signals: vec![signal], ..Scene::default() }
    }

    #[test]
    fn files_are_named_from_the_folder_they_have_in_common() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let root = file("scenes/hall/scene.ron", "Scene()");
        let gltf = r#"{"buffers": [{"uri": "pump.bin"}, {"uri": "data:x"}], "images": [{"uri": "skin.png"}]}"#;
        file("assets/pump.gltf", gltf);
        file("assets/pump.bin", "bin");
        file("scenes/types/pump.ron", "types");
        let source = |path: PathBuf, text: &str| SourceFile { path, text: text.into() };
        let mut scene = scene_of_one_signal();
        scene.path = root.clone();
        scene.sources = vec![
            source(dir.path().join("scenes/hall/../types/pump.ron"), "types"),
            source(root, "as it was read, not as it is now"),
        ];
        let model = Some(dir.path().join("scenes/types/../../assets/pump.gltf"));
        scene.twins[0].look = Some(Arc::new(Look { model, ..Look::default() }));
        let files = SceneFiles::of(&scene);
        assert_eq!(files.scene_file, "scene/scenes/hall/scene.ron");
        let names: Vec<_> = files.files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "scene/assets/pump.bin",
                "scene/assets/pump.gltf",
                "scene/assets/skin.png",
                "scene/scenes/hall/scene.ron",
                "scene/scenes/types/pump.ron",
            ]
        );
        assert_eq!(files.files[&files.scene_file].read().unwrap(), b"as it was read, not as it is now");
        assert_eq!(files.files["scene/assets/pump.bin"].read().unwrap(), b"bin");
        assert!(files.files["scene/assets/skin.png"].read().is_err());
    }

    #[test]
    fn a_scene_of_one_file_has_a_plain_name() {
        let path = PathBuf::from("/somewhere/scene.ron");
        let sources = vec![SourceFile { path: path.clone(), text: "Scene()".into() }];
        let files = SceneFiles::of(&Scene { path, sources, ..Scene::default() });
        assert_eq!(files.scene_file, "scene/scene.ron");
        assert_eq!(SceneFiles::of(&Scene::default()), SceneFiles::default());
    }
}
