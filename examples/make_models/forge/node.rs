//! Named nodes with geometry per material: what a view binds signals to.
//! In: meshes and children. Out: a tree for the writer. A node's origin is its pivot; its geometry is local to it.

use super::{material::Material, mesh::Mesh, vector::Vec3};

#[derive(Clone, Debug)]
pub struct Node {
    pub name: &'static str,
    pub at: Vec3,
    /// One entry per material, in order of first use.
    pub meshes: Vec<(Material, Mesh)>,
    pub children: Vec<Node>,
    /// Whether its materials are its own, so that colouring this node colours no other.
    pub tinted: bool,
}

impl Node {
    pub fn new(name: &'static str) -> Self {
        Self { name, at: [0.0; 3], meshes: Vec::new(), children: Vec::new(), tinted: false }
    }

    /// An empty node where pipes or belts attach.
    pub fn port(name: &'static str, at: Vec3) -> Self {
        Self::new(name).at(at)
    }

    /// Places the pivot relative to the parent.
    pub fn at(mut self, at: Vec3) -> Self {
        self.at = at;
        self
    }

    pub fn tinted(mut self) -> Self {
        self.tinted = true;
        self
    }

    pub fn child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    pub fn add(&mut self, material: Material, mesh: Mesh) {
        match self.meshes.iter_mut().find(|(known, _)| *known == material) {
            Some((_, all)) => all.append(&mesh),
            None => self.meshes.push((material, mesh)),
        }
    }

    pub fn with(mut self, material: Material, mesh: Mesh) -> Self {
        self.add(material, mesh);
        self
    }
}
