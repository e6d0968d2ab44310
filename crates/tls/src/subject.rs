//! A certificate's subject as one line, as Go's `pkix.Name.String` writes it.
//!
//! The order is Go's, not the certificate's: serial number, common name, postal code, street, state,
//! locality, unit, organisation, country, then whatever else there is, last first.

use std::fmt::Write;

use x509_parser::x509::X509Name;

/// The attribute types that Go knows, in the order in which it writes them.
const KNOWN: [(&str, &str); 9] = [
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.3", "CN"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.6", "C"),
];

/// The subject, such as `CN=client,OU=edge+OU=lab,O=Portway,C=FR`.
pub(crate) fn subject(name: &X509Name<'_>) -> String {
    let attributes: Vec<(String, String)> = name
        .iter_attributes()
        .map(|attribute| {
            let value = attribute
                .as_str()
                .map(str::to_owned)
                .unwrap_or_else(|_| String::from_utf8_lossy(attribute.as_slice()).into_owned());
            (attribute.attr_type().to_id_string(), value)
        })
        .collect();
    let mut line = String::new();
    for (oid, short) in KNOWN {
        let mut values: Vec<&str> = attributes
            .iter()
            .filter(|(of, _)| of == oid)
            .map(|(_, value)| value.as_str())
            .collect();
        if matches!(short, "CN" | "SERIALNUMBER") {
            // Of several Go keeps the last one, and writes none that is empty.
            values = values.pop().filter(|value| !value.is_empty()).into_iter().collect();
        }
        let parts: Vec<String> =
            values.into_iter().map(|value| format!("{short}={}", escaped(value))).collect();
        append(&mut line, &parts.join("+"));
    }
    for (oid, value) in attributes.iter().rev() {
        if KNOWN.iter().all(|(known, _)| known != oid) {
            append(&mut line, &format!("{oid}=#{}", encoded(value)));
        }
    }
    line
}

fn append(line: &mut String, part: &str) {
    if !part.is_empty() {
        if !line.is_empty() {
            line.push(',');
        }
        line.push_str(part);
    }
}

/// RFC 2253 §2.4, as Go does it.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (position, character) in value.chars().enumerate() {
        let special = matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (character == ' ' && (position == 0 || position == last))
            || (character == '#' && position == 0);
        if special {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The hexadecimal DER of a text: PrintableString where its characters allow, else UTF8String.
fn encoded(value: &str) -> String {
    let printable = value.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'\'' | b'(' | b')' | b'+' | b',' | b'-' | b'.' | b'/' | b' ' | b':' | b'=' | b'?'
            )
    });
    let mut hexadecimal = String::new();
    let mut push = |byte: u8| {
        // Writing to a string cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    };
    push(if printable { 0x13 } else { 0x0c });
    let length = value.len();
    match u8::try_from(length) {
        Ok(short @ 0..128) => push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            significant.into_iter().for_each(&mut push);
        }
    }
    value.bytes().for_each(push);
    hexadecimal
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use x509_parser::{certificate::X509Certificate, prelude::FromDer};

    fn subject(attributes: &[(DnType, &str)]) -> String {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        for (kind, value) in attributes {
            parameters.distinguished_name.push(kind.clone(), *value);
        }
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, certificate) = X509Certificate::from_der(certificate.der()).unwrap();
        super::subject(certificate.subject())
    }

    #[test]
    fn attributes_come_in_gos_order() {
        let line = subject(&[
            (DnType::CountryName, "FR"),
            (DnType::OrganizationName, "Edge"),
            (DnType::OrganizationalUnitName, "Lab"),
            (DnType::LocalityName, "Lyon"),
            (DnType::StateOrProvinceName, "Rhone"),
            (DnType::CommonName, "client"),
        ]);
        assert_eq!(line, "CN=client,ST=Rhone,L=Lyon,OU=Lab,O=Edge,C=FR");
    }

    #[test]
    fn special_characters_are_escaped() {
        let line = subject(&[(DnType::CommonName, " a,b+c\"d\\e<f>g;h#i ")]);
        assert_eq!(line, r#"CN=\ a\,b\+c\"d\\e\<f\>g\;h#i\ "#);
        assert_eq!(subject(&[(DnType::CommonName, "#x")]), r"CN=\#x");
    }

    #[test]
    fn unknown_attributes_come_last_and_encoded() {
        let email = DnType::CustomDnType(vec![1, 2, 840, 113549, 1, 9, 1]);
        let line = subject(&[(email, "a@b.c"), (DnType::CommonName, "x")]);
        assert_eq!(line, "CN=x,1.2.840.113549.1.9.1=#0c056140622e63");
    }

    #[test]
    fn an_empty_subject_is_empty() {
        assert_eq!(subject(&[]), "");
    }
}
