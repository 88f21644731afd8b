//! Small vector arithmetic on `[f64; 3]`, so that the example needs no mathematics library.
//! Pure functions; metres in, metres out.

pub type Vec3 = [f64; 3];

pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn scale(a: Vec3, by: f64) -> Vec3 {
    [a[0] * by, a[1] * by, a[2] * by]
}

pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub fn length(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

/// Unit vector along `a`; a zero vector points up, so that a normal is never undefined.
pub fn unit(a: Vec3) -> Vec3 {
    let len = length(a);
    if len < 1e-12 { [0.0, 1.0, 0.0] } else { scale(a, 1.0 / len) }
}

pub fn mix(a: Vec3, b: Vec3, t: f64) -> Vec3 {
    add(scale(a, 1.0 - t), scale(b, t))
}

/// A unit vector at a right angle to `a`.
pub fn perpendicular(a: Vec3) -> Vec3 {
    let helper = if a[1].abs() < 0.9 { [0.0, 1.0, 0.0] } else { [1.0, 0.0, 0.0] };
    unit(cross(helper, a))
}
