//! The looks of layers in 3D, trends and panels. In: a place in the palette. Out: a colour, a dash and a mark. Each of
//! the three tells layers apart by itself, so that nobody has to see colours. Never draws.

/// How the layers of one world are told apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// Red, green and blue in sRGB: calm, and light enough to be read on dark grey.
    pub colour: [u8; 3],
    pub dash: Dash,
    pub mark: LayerMark,
}

/// How the lines of a layer are broken, in points. The shown world itself has solid lines.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Dash {
    Dashes { length: f32 },
    Dots { spacing: f32 },
}

/// The shape that stands for a layer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LayerMark {
    Circle,
    Square,
    Triangle,
    Diamond,
    Ring,
    Cross,
}

const fn look(colour: [u8; 3], dash: Dash, mark: LayerMark) -> Look {
    Look { colour, dash, mark }
}

/// In the order in which layers take them. More layers than these begin anew.
pub const PALETTE: [Look; 6] = [
    look([140, 194, 224], Dash::Dashes { length: 6.0 }, LayerMark::Circle),
    look([224, 178, 122], Dash::Dots { spacing: 5.0 }, LayerMark::Square),
    look([157, 208, 158], Dash::Dashes { length: 14.0 }, LayerMark::Triangle),
    look([214, 158, 196], Dash::Dashes { length: 3.0 }, LayerMark::Diamond),
    look([196, 192, 132], Dash::Dots { spacing: 10.0 }, LayerMark::Ring),
    look([170, 170, 226], Dash::Dashes { length: 22.0 }, LayerMark::Cross),
];

/// The first look that none of `taken` has.
pub fn free_look(taken: &[Look]) -> Look {
    let count = |look: &Look| taken.iter().filter(|other| *other == look).count();
    PALETTE.into_iter().min_by_key(count).unwrap_or(PALETTE[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_dash_and_mark_each_tell_all_layers_of_the_palette_apart() {
        for (place, look) in PALETTE.iter().enumerate() {
            for other in &PALETTE[..place] {
                assert!(look.colour != other.colour && look.dash != other.dash && look.mark != other.mark, "{place}");
                let apart: i32 = (0..3).map(|i| (i32::from(look.colour[i]) - i32::from(other.colour[i])).abs()).sum();
                assert!(apart >= 50, "{:?} and {:?} are hard to tell apart", look.colour, other.colour);
            }
        }
    }

    #[test]
    fn a_look_that_became_free_is_taken_first_and_a_seventh_layer_begins_anew() {
        assert_eq!(free_look(&[]), PALETTE[0]);
        assert_eq!(free_look(&[PALETTE[0], PALETTE[2]]), PALETTE[1]);
        assert_eq!(free_look(&PALETTE), PALETTE[0]);
    }
}
