//! The look of all panels, after ISA-101: calm greys while all is well, colour only for what needs a person.
//!
//! In: an egui context. Out: its style, the docking style, and the colours that panels may use.
//! Never decides what is abnormal: that is [`super::mark`].

use bevy_egui::egui::{
    self, Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Theme, Vec2,
};

use crate::scene::rule::Priority;

/// Behind everything; also the gaps between docked panels.
pub const GROUND: Color32 = Color32::from_rgb(0x1f, 0x22, 0x25);
/// The body of a panel.
pub const PANEL: Color32 = Color32::from_rgb(0x2a, 0x2d, 0x31);
/// Bars, headers, the tab row.
pub const BAR: Color32 = Color32::from_rgb(0x24, 0x27, 0x2a);
/// Sunken things: text fields, tracks, plots.
pub const SUNKEN: Color32 = Color32::from_rgb(0x20, 0x23, 0x26);
/// Raised things: buttons, cards, chips.
pub const RAISED: Color32 = Color32::from_rgb(0x38, 0x3c, 0x41);
/// Lines between things.
pub const LINE: Color32 = Color32::from_rgb(0x3b, 0x3f, 0x44);
/// What a person reads first.
pub const TEXT_STRONG: Color32 = Color32::from_rgb(0xf0, 0xf2, 0xf4);
pub const TEXT: Color32 = Color32::from_rgb(0xd0, 0xd4, 0xd8);
/// Units, labels, ages: at least 4.5:1 on [`PANEL`] (WCAG 2.2, 1.4.3).
pub const TEXT_WEAK: Color32 = Color32::from_rgb(0x9d, 0xa4, 0xab);
/// Selection and focus: the one calm accent.
pub const ACCENT: Color32 = Color32::from_rgb(0x8f, 0xb3, 0xcf);
pub const SELECTED: Color32 = Color32::from_rgb(0x3a, 0x4a, 0x57);
/// Something to mend, and alarms of medium priority.
pub const WARNING: Color32 = Color32::from_rgb(0xf0, 0xc2, 0x4b);
/// Errors, and critical alarms.
pub const CRITICAL: Color32 = Color32::from_rgb(0xf6, 0x77, 0x6c);
/// Alarms of high and of low priority.
pub const HIGH: Color32 = Color32::from_rgb(0xf4, 0x9f, 0x58);
pub const LOW: Color32 = Color32::from_rgb(0xd6, 0xcf, 0xaa);
/// Data that cannot be trusted: a matter of the signal, not of the process.
pub const DATA: Color32 = Color32::from_rgb(0xc5, 0xa9, 0xe8);
/// The picture is not live.
pub const NOT_LIVE: Color32 = Color32::from_rgb(0x86, 0xc5, 0xe0);

/// The time bar while the picture is not live.
pub const PAUSED: Color32 = Color32::from_rgb(0x1f, 0x30, 0x39);

/// Trend lines, told apart by lightness as well as hue.
pub const LINES: [Color32; 6] = [
    Color32::from_rgb(0x9f, 0xc9, 0xe8),
    Color32::from_rgb(0xd9, 0xc9, 0xa0),
    Color32::from_rgb(0x9d, 0xd0, 0xae),
    Color32::from_rgb(0xd8, 0xa8, 0xb8),
    Color32::from_rgb(0xb9, 0xb4, 0xdd),
    Color32::from_rgb(0xc4, 0xc8, 0xcc),
];

/// The colour of an alarm's priority, which shape and number say too.
pub const fn priority(priority: Priority) -> Color32 {
    match priority {
        Priority::Critical => CRITICAL,
        Priority::High => HIGH,
        Priority::Medium => WARNING,
        Priority::Low => LOW,
    }
}

/// Height of a table or tree row in points.
pub const ROW: f32 = 24.0;
/// The smallest text anywhere.
pub const SMALL: f32 = 13.0;

pub fn body() -> FontId {
    FontId::proportional(14.0)
}

pub fn small() -> FontId {
    FontId::proportional(SMALL)
}

pub fn mono() -> FontId {
    FontId::monospace(SMALL)
}

/// Sets style and fonts of a context. Cheap enough to call once per context, not once per frame.
pub fn apply(ctx: &Context) {
    ctx.set_theme(Theme::Dark);
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Small, FontId::new(SMALL, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Heading, FontId::new(17.0, FontFamily::Proportional)),
            (TextStyle::Monospace, FontId::new(SMALL, FontFamily::Monospace)),
        ]
        .into();
        style.spacing.item_spacing = Vec2::new(8.0, 4.0);
        style.spacing.button_padding = Vec2::new(8.0, 3.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.35;
        // Animations ask for frames of their own; a calm picture has none.
        style.animation_time = 0.0;
        style.visuals = visuals();
    });
}

fn visuals() -> egui::Visuals {
    let mut visuals = egui::Visuals::dark();
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_shadow = Shadow { offset: [0, 6], blur: 18, spread: 0, color: Color32::from_black_alpha(110) };
    visuals.popup_shadow = Shadow { offset: [0, 3], blur: 10, spread: 0, color: Color32::from_black_alpha(90) };
    visuals.window_corner_radius = CornerRadius::same(6);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.extreme_bg_color = SUNKEN;
    visuals.faint_bg_color = Color32::from_rgb(0x2d, 0x31, 0x35);
    visuals.code_bg_color = SUNKEN;
    visuals.weak_text_color = Some(TEXT_WEAK);
    visuals.warn_fg_color = WARNING;
    visuals.error_fg_color = CRITICAL;
    visuals.hyperlink_color = ACCENT;
    visuals.selection.bg_fill = SELECTED;
    visuals.selection.stroke = Stroke::new(1.0, TEXT_STRONG);
    let radius = CornerRadius::same(4);
    for (widget, fill, text) in [
        (&mut visuals.widgets.noninteractive, PANEL, TEXT),
        (&mut visuals.widgets.inactive, RAISED, TEXT),
        (&mut visuals.widgets.hovered, Color32::from_rgb(0x45, 0x4a, 0x50), TEXT_STRONG),
        (&mut visuals.widgets.active, SELECTED, TEXT_STRONG),
        (&mut visuals.widgets.open, Color32::from_rgb(0x40, 0x45, 0x4a), TEXT_STRONG),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::NONE;
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, Color32::from_rgb(0x5a, 0x60, 0x67));
    visuals
}

/// The docking area in the same greys.
pub fn dock(style: &egui::Style) -> egui_dock::Style {
    let mut dock = egui_dock::Style::from_egui(style);
    dock.main_surface_border_stroke = Stroke::NONE;
    dock.separator.width = 2.0;
    dock.separator.extra_interact_width = 6.0;
    dock.separator.color_idle = GROUND;
    dock.separator.color_hovered = Color32::from_rgb(0x5a, 0x60, 0x67);
    dock.separator.color_dragged = ACCENT;
    dock.tab_bar.bg_fill = BAR;
    dock.tab_bar.height = 28.0;
    dock.tab_bar.corner_radius = CornerRadius::ZERO;
    dock.tab_bar.hline_color = GROUND;
    dock.tab.hline_below_active_tab_name = false;
    let tab = |fill, text| egui_dock::TabInteractionStyle {
        outline_color: Color32::TRANSPARENT,
        corner_radius: CornerRadius::ZERO,
        bg_fill: fill,
        text_color: text,
    };
    dock.tab.active = tab(PANEL, TEXT_STRONG);
    dock.tab.focused = tab(PANEL, TEXT_STRONG);
    dock.tab.inactive = tab(BAR, TEXT_WEAK);
    dock.tab.hovered = tab(RAISED, TEXT_STRONG);
    dock.tab.active_with_kb_focus = tab(PANEL, ACCENT);
    dock.tab.focused_with_kb_focus = tab(PANEL, ACCENT);
    dock.tab.inactive_with_kb_focus = tab(BAR, ACCENT);
    dock.tab.tab_body.bg_fill = PANEL;
    dock.tab.tab_body.stroke = Stroke::NONE;
    dock.tab.tab_body.corner_radius = CornerRadius::ZERO;
    dock.tab.tab_body.inner_margin = Margin::symmetric(10, 8);
    dock.buttons.close_tab_color = TEXT_WEAK;
    dock.buttons.close_tab_active_color = TEXT_STRONG;
    dock.buttons.close_tab_bg_fill = RAISED;
    dock.overlay.selection_color = ACCENT.gamma_multiply(0.35);
    dock
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance and contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let channel = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |c: Color32| 0.2126 * channel(c.r()) + 0.7152 * channel(c.g()) + 0.0722 * channel(c.b());
        let (x, y) = (luminance(a), luminance(b));
        (x.max(y) + 0.05) / (x.min(y) + 0.05)
    }

    #[test]
    fn every_text_colour_can_be_read_on_every_ground() {
        for text in [TEXT, TEXT_STRONG, TEXT_WEAK, ACCENT, WARNING, CRITICAL, HIGH, LOW, DATA, NOT_LIVE] {
            for ground in [GROUND, PANEL, BAR, SUNKEN, PAUSED] {
                assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {:.1}", contrast(text, ground));
            }
        }
    }

    #[test]
    fn no_text_style_is_smaller_than_the_smallest() {
        let ctx = Context::default();
        apply(&ctx);
        for (style, font) in &ctx.global_style().text_styles {
            assert!(font.size >= SMALL, "{style:?} has {} points", font.size);
        }
    }
}
