//! The palette: calm greys after ISA-101, colour only in glass, caps and cardboard.
//! In: nothing. Out: constants with sRGB colours; the writer converts them to linear.

/// A physically based material without textures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    pub name: &'static str,
    /// sRGB, as a designer writes it: `0xRRGGBB`.
    pub colour: u32,
    pub alpha: f64,
    pub metallic: f64,
    pub roughness: f64,
}

const fn solid(name: &'static str, colour: u32, metallic: f64, roughness: f64) -> Material {
    Material { name, colour, alpha: 1.0, metallic, roughness }
}

// Metals stay half metallic: full metal shows only reflections, and would be black where a scene has no sky to reflect.
pub const STEEL: Material = solid("stainless steel", 0xC4C8CB, 0.55, 0.32);
pub const STEEL_BRUSHED: Material = solid("brushed steel", 0xA9AEB2, 0.5, 0.48);
pub const STEEL_DARK: Material = solid("dark steel", 0x6C7175, 0.5, 0.45);
pub const PAINT_LIGHT: Material = solid("light paint", 0xD3D6D8, 0.0, 0.45);
pub const PAINT_MID: Material = solid("mid paint", 0x8E959A, 0.05, 0.5);
pub const PAINT_DARK: Material = solid("charcoal paint", 0x3D4246, 0.05, 0.5);
pub const RUBBER: Material = solid("rubber", 0x26282A, 0.0, 0.85);
pub const BELT: Material = solid("belt", 0x52585C, 0.0, 0.8);
pub const MARK: Material = solid("marking", 0xF0F0EC, 0.0, 0.6);
pub const LENS: Material = solid("lens", 0xB9BDBD, 0.0, 0.25);
pub const SCREEN: Material = solid("screen", 0x1D262B, 0.0, 0.2);
pub const LIQUID: Material = solid("liquid", 0x7FA6B4, 0.0, 0.15);
pub const PLATE_HOT: Material = solid("hot plates", 0xB4A9A2, 0.45, 0.4);
pub const PLATE_COLD: Material = solid("cold plates", 0xA2ABB4, 0.45, 0.4);
pub const BOTTLE: Material = solid("bottle glass", 0x4F7F69, 0.0, 0.12);
pub const LABEL: Material = solid("label", 0xE4E1D6, 0.0, 0.7);
pub const CAP: Material = solid("cap", 0xA88B52, 0.4, 0.4);
pub const CARDBOARD: Material = solid("cardboard", 0xB49A78, 0.0, 0.85);
pub const CARDBOARD_DARK: Material = solid("tape", 0x97805F, 0.0, 0.7);
pub const WOOD: Material = solid("wood", 0xA88F6E, 0.0, 0.85);
pub const FLOOR: Material = solid("floor", 0x9CA1A4, 0.0, 0.75);
pub const FLOOR_EDGE: Material = solid("floor edge", 0x7B8083, 0.0, 0.85);
pub const WALKWAY: Material = solid("walkway", 0x8C9693, 0.0, 0.8);
pub const LINE: Material = solid("line", 0xDAD6C0, 0.0, 0.7);
pub const WALL: Material = solid("wall", 0xC9CCCE, 0.0, 0.8);
pub const GLASS: Material =
    Material { name: "guard glass", colour: 0xC9D8DC, alpha: 0.16, metallic: 0.0, roughness: 0.1 };
