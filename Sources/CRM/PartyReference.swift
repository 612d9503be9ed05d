// SPDX-License-Identifier: Apache-2.0
// A party as a record describes it: what it can be found by and what it would be made from.

internal import Model

/// What parties can be found by.
package enum PartyKey: String, Sendable, Hashable, CaseIterable {
    case external, siret, vat, siren, gln

    /// Whether two parties can never share it: sites have a code and a SIRET each, companies a SIREN.
    var isUnique: Bool { self != .vat && self != .gln }
}

/// The description of a party in a record.
struct PartyReference: Sendable {
    /// Code in the source system.
    var code: String?
    var name: String?
    var siren: String?
    var siret: String?
    var vat: String?
    var legalID: String?
    var gln: String?
    var street: String?
    var postalCode: String?
    var city: String?
    var country: String?
    var line: Int?

    /// Reads a block of fields (`buyer.`) or, with an empty prefix, a whole record.
    init(_ record: Record, prefix: String = "") {
        func text(_ field: String) -> String? { record.text(prefix + field) }
        code = text("code")
        name = text("name") ?? text("trade_name")
        siret = text("siret")
        vat = text("vat")
        let named = text("siren") ?? siret.map { String($0.prefix(9)) } ?? vat.flatMap(VATNumber.siren(of:))
        // 000000000 and the like stand for "none" in many exports; they name nobody.
        siren = named.flatMap { Set($0).count == 1 ? nil : $0 }
        if let number = siret, Set(number).count == 1 { siret = nil }
        legalID = text("legal_id")
        gln = text("gln")
        street = text("street")
        postalCode = text("postal_code")
        city = text("city")
        country = text("country")
        line = record.origin.line
    }

    /// The value of a key.
    func value(_ key: PartyKey) -> String? {
        switch key {
        case .external: code
        case .siret: siret
        case .vat: vat
        case .siren: siren
        case .gln: gln
        }
    }

    /// Whether an official number with valid check digits names it.
    var hasValidIdentifier: Bool {
        siren.map(CompanyIdentifier.isSIREN) == true || siret.map(CompanyIdentifier.isSIRET) == true
            || vat.map(VATNumber.isValid) == true
    }

    /// What two new references of one party share.
    var identity: String? { siren ?? vat ?? code.map { "code:" + $0 } }

    /// Claims on the party itself.
    var partyFields: [(field: String, value: String?)] {
        [("name", name), ("siren", siren), ("vat", vat), ("legal_id", legalID)]
    }

    /// Claims on the site.
    var siteFields: [(field: String, value: String?)] {
        [
            ("siret", siret), ("gln", gln), ("street", street), ("postal_code", postalCode), ("city", city),
            ("country", country),
        ]
    }
}
