//! Colours of meshes, hidden behind one component: tint, glow and the fading of stale twins.
//!
//! In: [`Paint`] on mesh entities, the mood of twins. Out: their materials. Meshes that look alike share a material, so
//! that the number of draw calls grows with the number of looks (times 32 steps of colour), not with that of twins.
//! Never changes a material that came with a model.

use std::collections::{HashMap, HashSet};

use bevy::prelude::*;

use super::ViewSet;
use super::mood::{Mood, Trust};

/// How a mesh shall look on top of the material that its model gave it.
#[derive(Component, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Paint {
    base: Handle<StandardMaterial>,
    /// Replaces the base colour.
    pub tint: Option<Shade>,
    /// Light of its own.
    pub glow: Option<Shade>,
    /// Nobody vouches for it any more: paler and greyer.
    pub faded: bool,
    /// Of a thing that is not there: translucent, and pale in this colour.
    ghost: Option<Shade>,
}

/// A linear colour that can be compared and hashed: 1/1024 steps of red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shade([u16; 3]);

impl From<LinearRgba> for Shade {
    fn from(colour: LinearRgba) -> Self {
        Self([colour.red, colour.green, colour.blue].map(|x| (x.clamp(0.0, 60.0) * 1024.0).round() as u16))
    }
}

impl Shade {
    fn linear(self) -> LinearRgba {
        let [r, g, b] = self.0.map(|x| f32::from(x) / 1024.0);
        LinearRgba::rgb(r, g, b)
    }
}

impl Paint {
    /// A mesh as its model made it.
    pub fn of(base: Handle<StandardMaterial>) -> Self {
        Self { base, tint: None, glow: None, faded: false, ghost: None }
    }

    /// The mesh of a ghost, in the colour of its layer.
    pub fn ghost(base: Handle<StandardMaterial>, colour: Color) -> Self {
        Self { ghost: Some(Shade::from(colour.to_linear())), ..Self::of(base) }
    }

    fn is_plain(&self) -> bool {
        self.tint.is_none() && self.glow.is_none() && !self.faded && self.ghost.is_none()
    }

    /// `base` with this paint on it.
    fn applied(&self, base: &StandardMaterial) -> StandardMaterial {
        let mut material = base.clone();
        if let Some(tint) = self.tint {
            material.base_color = Color::from(tint.linear()).with_alpha(base.base_color.alpha());
            // A metal shows its surroundings, not its colour.
            material.metallic = material.metallic.min(0.3);
        }
        if let Some(glow) = self.glow {
            material.emissive = glow.linear();
        }
        if self.faded {
            material.base_color = faded(material.base_color);
            material.emissive = LinearRgba::BLACK;
            material.metallic = 0.0;
            material.perceptual_roughness = 1.0;
            material.reflectance = 0.1;
        }
        if let Some(colour) = self.ghost {
            material.base_color = ghostly(material.base_color, colour.linear());
            material.alpha_mode = AlphaMode::Blend;
            material.emissive = LinearRgba::BLACK;
            material.metallic = 0.0;
            material.perceptual_roughness = 1.0;
            material.reflectance = 0.0;
        }
        material
    }
}

/// Without its colour, and three fifths of the way to a pale grey.
fn faded(colour: Color) -> Color {
    let grey = colour.luminance();
    let pale = LinearRgba::rgb(0.60, 0.60, 0.62).with_alpha(colour.alpha());
    Color::from(LinearRgba::rgb(grey, grey, grey).with_alpha(colour.alpha()).mix(&pale, 0.6))
}

/// Most of the way to the pale colour of the layer, and little of it: what stands behind shows through.
fn ghostly(colour: Color, own: LinearRgba) -> Color {
    Color::from(colour.to_linear().with_alpha(1.0).mix(&own, 0.7).with_alpha(GHOST_ALPHA))
}

/// Materials made so far; those that nobody wears any more are dropped when there are many.
#[derive(Resource, Default)]
struct Palette(HashMap<Paint, Handle<StandardMaterial>>);

/// How much of what is behind a ghost it hides.
const GHOST_ALPHA: f32 = 0.42;

/// Materials beyond which unused ones are looked for.
const SWEEP_ABOVE: usize = 512;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Palette>().add_systems(Update, (fade, apply).chain().in_set(ViewSet::Build));
}

/// Stale twins fade with all their meshes, also those that were loaded after the twin went stale.
fn fade(
    twins: Query<Entity, Changed<Mood>>,
    moods: Query<&Mood>,
    parents: Query<&ChildOf>,
    children: Query<&Children>,
    mut paints: ParamSet<(Query<Entity, Added<Paint>>, Query<&mut Paint>)>,
) {
    let new: Vec<Entity> = paints.p0().iter().collect();
    let of_changed = twins.iter().flat_map(|twin| children.iter_descendants(twin));
    let mut paints = paints.p1();
    for mesh in of_changed.chain(new) {
        let (Ok(mut paint), Some(mood)) =
            (paints.get_mut(mesh), parents.iter_ancestors(mesh).find_map(|entity| moods.get(entity).ok()))
        else {
            continue;
        };
        let faded = mood.trust == Trust::None;
        if paint.faded != faded {
            paint.faded = faded;
        }
    }
}

fn apply(
    mut meshes: Query<(&Paint, &mut MeshMaterial3d<StandardMaterial>), Changed<Paint>>,
    all: Query<&Paint>,
    mut palette: ResMut<Palette>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (paint, mut material) in &mut meshes {
        let wanted = if paint.is_plain() {
            paint.base.clone()
        } else if let Some(known) = palette.0.get(paint) {
            known.clone()
        } else {
            // Models are ready before their meshes get a paint; a material that is gone leaves the mesh as it is.
            let Some(base) = materials.get(&paint.base) else { continue };
            let made = paint.applied(base);
            let made = materials.add(made);
            palette.0.insert(paint.clone(), made.clone());
            made
        };
        material.set_if_neq(MeshMaterial3d(wanted));
    }
    if palette.0.len() > SWEEP_ABOVE {
        let worn: HashSet<&Paint> = all.iter().collect();
        // Swept seldom: a palette that is in use as a whole stays.
        if worn.len() * 2 < palette.0.len() {
            palette.0.retain(|paint, _| worn.contains(paint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(meshes: usize) -> (App, Vec<Entity>) {
        let mut app = App::new();
        app.init_resource::<Palette>().insert_resource(Assets::<StandardMaterial>::default());
        app.add_systems(Update, (fade, apply).chain());
        let base = app.world_mut().resource_mut::<Assets<StandardMaterial>>().add(StandardMaterial::default());
        let spawn = |_| app.world_mut().spawn((Paint::of(base.clone()), MeshMaterial3d(base.clone()))).id();
        let entities = (0..meshes).map(spawn).collect();
        (app, entities)
    }

    fn colour(app: &App, mesh: Entity) -> Color {
        let handle = &app.world().get::<MeshMaterial3d<StandardMaterial>>(mesh).expect("spawned above").0;
        app.world().resource::<Assets<StandardMaterial>>().get(handle).expect("made by apply").base_color
    }

    #[test]
    fn meshes_of_one_colour_share_one_material_and_plain_ones_keep_their_own() {
        let (mut app, meshes) = world(100);
        let red = Shade::from(LinearRgba::rgb(1.0, 0.0, 0.0));
        for mesh in &meshes[1..] {
            app.world_mut().get_mut::<Paint>(*mesh).expect("spawned above").tint = Some(red);
        }
        app.update();
        assert_eq!(app.world().resource::<Assets<StandardMaterial>>().len(), 2);
        assert_eq!(colour(&app, meshes[0]), Color::WHITE);
        assert_eq!(colour(&app, meshes[7]).to_linear(), LinearRgba::rgb(1.0, 0.0, 0.0));
        app.world_mut().get_mut::<Paint>(meshes[7]).expect("spawned above").tint = None;
        app.update();
        assert_eq!(colour(&app, meshes[7]), Color::WHITE);
    }

    #[test]
    fn a_stale_twin_fades_with_its_meshes_and_comes_back() {
        let (mut app, meshes) = world(1);
        let twin = app.world_mut().spawn(Mood::default()).id();
        app.world_mut().entity_mut(meshes[0]).insert(ChildOf(twin));
        app.world_mut().get_mut::<Paint>(meshes[0]).expect("spawned above").tint = Some(Shade([1024, 0, 0]));
        app.update();
        let fresh = colour(&app, meshes[0]).to_linear();
        app.world_mut().get_mut::<Mood>(twin).expect("spawned above").trust = Trust::None;
        app.update();
        let stale = colour(&app, meshes[0]).to_linear();
        assert!(stale.red - stale.green < 0.2 * (fresh.red - fresh.green), "{stale:?} is as colourful as {fresh:?}");
        app.world_mut().get_mut::<Mood>(twin).expect("spawned above").trust = Trust::All;
        app.update();
        assert_eq!(colour(&app, meshes[0]).to_linear(), fresh);
    }
}
