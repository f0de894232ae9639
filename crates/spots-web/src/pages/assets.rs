//! The files that pages load: one stylesheet, one script, one icon, all from this origin.

/// A file that is part of the binary.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The name under `/assets/`.
    pub name: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The file itself.
    pub bytes: &'static [u8],
}

/// All files, by name.
pub const ASSETS: [Asset; 3] = [
    Asset {
        name: "htmx.min.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/htmx.min.js"),
    },
    Asset {
        name: "spots.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../../assets/spots.css"),
    },
    Asset {
        name: "spots.svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../../assets/spots.svg"),
    },
];

/// The policy under which every page works: no inline script or style, nothing from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The same where people come over HTTPS: nothing is fetched over less.
pub const CONTENT_SECURITY_POLICY_HTTPS: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; upgrade-insecure-requests";

/// Finds a file by its name under `/assets/`.
pub fn find_by_name(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
