//! What an end shows, and what it believes: TLS 1.3 with a certificate from both, never resumed.
//!
//! SECURITY: an end proves here that it holds the key of its certificate, always. Whether the certificate is that of an
//! authority is checked here where there is one. Which party it names, or which pinned key it holds, JavaScript checks
//! before it says anything on the link (`credentials.ts`), for this library and for Node's TLS alike.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, ResolvesClientCert, Resumption};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::crypto::{verify_tls13_signature, CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};
use std::sync::Arc;

const ALPN: &[u8] = b"tercet/1";

/// Certificates are DER, one behind the other; the key is PKCS #8.
pub struct Terms<'a> {
    /// The name of the listening party, to a connector; none to a listener.
    pub name: Option<&'a str>,
    pub chain: &'a [u8],
    pub key: &'a [u8],
    /// Authorities, where certificates name parties.
    pub roots: Option<&'a [u8]>,
}

/// A handshake that may begin.
pub struct Begun {
    pub tls: Connection,
    /// What a listener judges a connector's certificate by, behind the handshake: who is refused is told so.
    pub judge: Option<Arc<dyn ClientCertVerifier>>,
}

pub fn begin(terms: &Terms) -> Result<Begun, Error> {
    let suites = [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    let provider = Arc::new(CryptoProvider { cipher_suites: suites.to_vec(), ..default_provider() });
    let algorithms = provider.signature_verification_algorithms;
    let roots = terms.roots.map(authorities).transpose()?;
    let shown = shown(terms)?;
    let Some(name) = terms.name else {
        let judge = match &roots {
            None => None,
            Some(roots) => {
                let judge = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
                Some(judge.map_err(|_| Error::General("no authority".into()))? as Arc<dyn ClientCertVerifier>)
            }
        };
        let shown = shown.ok_or(Error::NoCertificatesPresented)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(Proof { algorithms, roots: None }))
            .with_cert_resolver(Arc::new(shown));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let tls = Connection::Server(ServerConnection::new(Arc::new(config))?);
        return Ok(Begun { tls, judge });
    };
    let begun = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Proof { algorithms, roots }));
    let mut config = match shown {
        Some(shown) => begun.with_client_cert_resolver(Arc::new(shown)),
        None => begun.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    let name = ServerName::try_from(name.to_string()).map_err(|_| Error::General("no name of a party".into()))?;
    Ok(Begun { tls: Connection::Client(ClientConnection::new(Arc::new(config), name)?), judge: None })
}

fn authorities(roots: &[u8]) -> Result<Arc<RootCertStore>, Error> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(roots) {
        store.add(certificate)?;
    }
    Ok(Arc::new(store))
}

fn shown(terms: &Terms) -> Result<Option<Shown>, Error> {
    if terms.chain.is_empty() {
        return Ok(None);
    }
    // Borrowed: the only copy of its bytes is the caller's, who wipes it.
    let key = any_supported_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(terms.key)))?;
    Ok(Some(Shown(Arc::new(CertifiedKey::new(certificates(terms.chain), key)))))
}

/// Splits what stands one behind the other: each says its length. What is no DER is one that nobody can parse.
fn certificates(mut bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = match *bytes {
            [0x30, 0x82, high, low, ..] => 4 + 256 * high as usize + low as usize,
            [0x30, 0x81, low, ..] => 3 + low as usize,
            _ => bytes.len(),
        };
        let (one, rest) = bytes.split_at(length.min(bytes.len()));
        found.push(CertificateDer::from(one.to_vec()));
        bytes = rest;
    }
    found
}

/// The certificate of this end, whatever it is asked for.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// That the other end holds the key of its certificate and, with authorities, that one of them issued it.
#[derive(Debug)]
struct Proof {
    algorithms: WebPkiSupportedAlgorithms,
    roots: Option<Arc<RootCertStore>>,
}

impl Proof {
    fn signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }
}

/// No earlier version is offered or taken.
fn too_old() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled))
}

impl ServerCertVerifier for Proof {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let cert = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(&cert, roots, intermediates, now, self.algorithms.all)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Proof {
    /// An owner may show none.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
