//! The image that the world is drawn into, and that the panel layer shows where panels leave room.
//!
//! In: [`ViewRect`], size and scale of the target. Out: an image of just that size for the world camera, and
//! [`WorldImage::paint`] to show it. Kept apart from the panels so that a clock that ticks does not draw the world again:
//! `redraw` decides when the camera runs. Never scales the picture but in the one frame after a resize.

use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, EguiTextureHandle, EguiUserTextures, egui};

use super::camera::{UiCamera, WorldCamera};
use super::viewport::{self, ViewRect};
use super::{ViewSet, palette};

/// The picture of the world as it was drawn last.
#[derive(Resource, Default)]
pub struct WorldImage {
    image: Handle<Image>,
    texture: Option<egui::TextureId>,
    /// Physical pixels.
    size: UVec2,
    scale: f32,
    /// Panels leave room for it.
    shown: bool,
}

/// Where the world is painted if no panel shell does it, in `EguiPrimaryContextPass`.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PaintsWorld;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<WorldImage>()
        .init_resource::<EguiUserTextures>()
        .add_systems(Update, fit.in_set(ViewSet::Point).before(viewport::find_pointer))
        .add_systems(EguiPrimaryContextPass, paint_alone.in_set(PaintsWorld));
}

impl WorldImage {
    /// Whether any of it is on the screen.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    pub(super) fn id(&self) -> AssetId<Image> {
        self.image.id()
    }

    /// Fills `rect` (logical pixels), the one that [`ViewRect`] is made from.
    pub fn paint(&self, painter: &egui::Painter, rect: egui::Rect) {
        use egui::emath::GuiRounding as _;
        let rect = rect.round_to_pixels(painter.pixels_per_point());
        match self.texture {
            Some(texture) => {
                let whole = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
                painter.image(texture, rect, whole, egui::Color32::WHITE);
            }
            None => {
                let [r, g, b, _] = palette::BACKDROP.to_srgba().to_u8_array();
                painter.rect_filled(rect, 0.0, egui::Color32::from_rgb(r, g, b));
            }
        }
    }
}

/// Another size is another image: the camera learns of it in the same frame, which a resized one does not grant.
fn fit(
    rect: Res<ViewRect>,
    panels: Query<&Camera, With<UiCamera>>,
    mut worlds: Query<(&mut RenderTarget, &mut Projection), With<WorldCamera>>,
    mut images: ResMut<Assets<Image>>,
    mut textures: ResMut<EguiUserTextures>,
    mut world: ResMut<WorldImage>,
) {
    let Ok(panels) = panels.single() else { return };
    let (Some(target), Some(scale)) = (panels.physical_target_size(), panels.target_scaling_factor()) else { return };
    let room = rect.physical.unwrap_or(URect::from_corners(UVec2::ZERO, target));
    let Some(room) = viewport::clamped(room, target) else {
        world.shown = false;
        return;
    };
    world.shown = true;
    if world.size == room.size() && world.scale == scale {
        return;
    }
    let Ok((mut camera_target, mut projection)) = worlds.single_mut() else { return };
    let image = Image::new_target_texture(room.width(), room.height(), TextureFormat::Rgba8UnormSrgb, None);
    let image = images.add(image);
    textures.remove_image(&world.image);
    world.texture = Some(textures.add_image(EguiTextureHandle::Strong(image.clone())));
    *camera_target = RenderTarget::Image(ImageRenderTarget { handle: image.clone(), scale_factor: scale });
    // What Bevy takes as the sign to look at the target again.
    projection.set_changed();
    (world.image, world.size, world.scale) = (image, room.size(), scale);
}

/// Without panels the world has the whole target.
fn paint_alone(mut contexts: EguiContexts, rect: Res<ViewRect>, world: Res<WorldImage>) -> Result {
    if rect.physical.is_none() {
        let context = contexts.ctx_mut()?;
        world.paint(&context.layer_painter(egui::LayerId::background()), context.viewport_rect());
    }
    Ok(())
}
