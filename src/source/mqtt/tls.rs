//! Makes the TLS configuration of a client. In: PEM files that the scene names, or the system's authorities. Out: a
//! rustls client configuration, or a sentence that names the file. Never panics where the system has no certificates.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::scene::Tls;

/// Reads the files; they may have been renewed since the last attempt.
pub(super) fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, String> {
    let roots = match &tls.ca {
        Some(path) => roots_from(path)?,
        None => system_roots()?,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots);
    let config = match (&tls.certificate, &tls.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key_der = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("no private key in {}: {error}", key.display()))?;
            builder.with_client_auth_cert(chain, key_der).map_err(|error| {
                format!(
                    "the client certificate {} and key {} do not fit: {error}",
                    certificate.display(),
                    key.display()
                )
            })?
        }
        (Some(_), None) => return Err("`tls.certificate` needs `tls.key` beside it".to_owned()),
        (None, Some(_)) => return Err("`tls.key` needs `tls.certificate` beside it".to_owned()),
    };
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("the certificate file {} cannot be read: {error}", path.display());
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(format!("no certificate in {}: it must be a PEM file", path.display()));
    }
    Ok(chain)
}

fn roots_from(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| format!("a certificate in {} cannot be an authority: {error}", path.display()))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!("this system has no certificate authorities{cause}: name a PEM file in `tls.ca`"));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing.pem");
        let error = client_config(&Tls { ca: Some(missing), ..Tls::default() }).unwrap_err();
        assert!(error.contains("missing.pem"), "{error}");
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "not a certificate").unwrap();
        let error = client_config(&Tls { ca: Some(empty), ..Tls::default() }).unwrap_err();
        assert!(error.contains("no certificate in") && error.contains("empty.pem"), "{error}");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.pem");
        let authority = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&ca, authority.cert.pem()).unwrap();
        let tls = Tls { ca: Some(ca.clone()), certificate: Some(ca), key: None };
        assert!(client_config(&tls).unwrap_err().contains("tls.key"));
    }
}
