//! Triangle meshes with normals, and the operations that place them.
//! In: vertices in metres. Out: indexed triangles, counter-clockwise seen from outside. Never holds a material or a node.

use super::vector::{Vec3, add, unit};

/// An indexed triangle mesh. `positions` and `normals` have equal lengths.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    pub positions: Vec<Vec3>,
    pub normals: Vec<Vec3>,
    pub indices: Vec<u32>,
}

impl Mesh {
    pub fn vertex(&mut self, position: Vec3, normal: Vec3) -> u32 {
        let index = self.positions.len() as u32;
        self.positions.push(position);
        self.normals.push(normal);
        index
    }

    /// Adds a triangle, unless two of its corners coincide (as at the pole of a lathe).
    pub fn triangle(&mut self, a: u32, b: u32, c: u32) {
        let [p, q, r] = [a, b, c].map(|i| self.positions[i as usize]);
        if p != q && q != r && r != p {
            self.indices.extend([a, b, c]);
        }
    }

    pub fn quad(&mut self, a: u32, b: u32, c: u32, d: u32) {
        self.triangle(a, b, c);
        self.triangle(a, c, d);
    }

    pub fn append(&mut self, other: &Mesh) {
        let base = self.positions.len() as u32;
        self.positions.extend_from_slice(&other.positions);
        self.normals.extend_from_slice(&other.normals);
        self.indices.extend(other.indices.iter().map(|index| index + base));
    }

    pub fn with(mut self, other: Mesh) -> Self {
        self.append(&other);
        self
    }

    /// Moved by `offset` metres.
    pub fn at(mut self, offset: Vec3) -> Self {
        for position in &mut self.positions {
            *position = add(*position, offset);
        }
        self
    }

    /// Turned about the x axis by `degrees`, counter-clockwise seen from its tip.
    pub fn turn_x(self, degrees: f64) -> Self {
        self.turn(degrees, |[x, y, z], sin, cos| [x, y * cos - z * sin, y * sin + z * cos])
    }

    pub fn turn_y(self, degrees: f64) -> Self {
        self.turn(degrees, |[x, y, z], sin, cos| [x * cos + z * sin, y, z * cos - x * sin])
    }

    pub fn turn_z(self, degrees: f64) -> Self {
        self.turn(degrees, |[x, y, z], sin, cos| [x * cos - y * sin, x * sin + y * cos, z])
    }

    fn turn(mut self, degrees: f64, rotate: impl Fn(Vec3, f64, f64) -> Vec3) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        for vector in self.positions.iter_mut().chain(&mut self.normals) {
            *vector = rotate(*vector, sin, cos);
        }
        self
    }

    /// Stretched by positive `factors`; normals follow by the inverse transpose.
    pub fn stretch(mut self, factors: Vec3) -> Self {
        for position in &mut self.positions {
            *position = [position[0] * factors[0], position[1] * factors[1], position[2] * factors[2]];
        }
        for normal in &mut self.normals {
            *normal = unit([normal[0] / factors[0], normal[1] / factors[1], normal[2] / factors[2]]);
        }
        self
    }

    /// `count` copies about the y axis, at equal angles, the first where it is.
    pub fn ring(&self, count: u32) -> Self {
        let mut all = Mesh::default();
        for copy in 0..count {
            all.append(&self.clone().turn_y(360.0 * f64::from(copy) / f64::from(count)));
        }
        all
    }

    /// `count` copies, each `step` further than the one before.
    pub fn row(&self, count: u32, step: Vec3) -> Self {
        let mut all = Mesh::default();
        for copy in 0..count {
            all.append(&self.clone().at(step.map(|along| along * f64::from(copy))));
        }
        all
    }

    /// A copy at each of `places`.
    pub fn each(&self, places: &[Vec3]) -> Self {
        let mut all = Mesh::default();
        for place in places {
            all.append(&self.clone().at(*place));
        }
        all
    }
}
