// SPDX-License-Identifier: Apache-2.0
// A party as a record describes it: what it can be found by and what it would be made from.

internal import Crypto
internal import Model

/// What parties can be found by.
package enum PartyKey: String, Sendable, Hashable, CaseIterable {
    case external, siret, vat, siren, gln
    /// The same name but for accents and case, in the same town: never certain, always left to a person.
    case nameAndPostalCode = "name+postcode"

    /// Whether two parties can never share it: sites have a code and a SIRET each, companies a SIREN.
    var isUnique: Bool { self == .external || self == .siret || self == .siren }
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

    /// Where a block of fields (`buyer.`) or, with an empty prefix, a whole record has what describes a party.
    struct Fields: Sendable {
        private let slots: [Int?]

        private static let names = [
            "code", "name", "trade_name", "siren", "siret", "vat", "legal_id", "gln", "street", "postal_code",
            "city", "country",
        ]

        init(_ schema: EntitySchema, prefix: String = "") {
            slots = Self.names.map { schema.slot(of: prefix + $0) }
        }

        /// Where an entity calls these fields otherwise; those that are not named are not there.
        init(_ schema: EntitySchema, named fields: [String: String]) {
            slots = Self.names.map { name in fields[name].flatMap { schema.slot(of: $0) } }
        }

        /// Whether a record says anything of the party.
        func hasValue(in record: Record) -> Bool {
            slots.contains { slot in slot.map { record.cells[$0].isValue } ?? false }
        }

        fileprivate func text(_ number: Int, of record: Record) -> String? {
            slots[number].flatMap { record.value(of: record.cells[$0])?.text }
        }
    }

    /// Reads the description of a party from a record.
    init(_ record: Record, _ fields: Fields) {
        code = fields.text(0, of: record)
        name = fields.text(1, of: record) ?? fields.text(2, of: record)
        siret = fields.text(4, of: record)
        vat = fields.text(5, of: record)
        let named =
            fields.text(3, of: record) ?? siret.map { String($0.prefix(9)) }
            ?? vat.flatMap(VATNumber.siren(of:))
        // 000000000 and the like stand for "none" in many exports; they name nobody.
        siren = named.flatMap { Set($0.utf8).count == 1 ? nil : $0 }
        if let number = siret, Set(number.utf8).count == 1 { siret = nil }
        legalID = fields.text(6, of: record)
        gln = fields.text(7, of: record)
        street = fields.text(8, of: record)
        postalCode = fields.text(9, of: record)
        city = fields.text(10, of: record)
        country = fields.text(11, of: record)
        line = record.origin.line
    }

    /// Whether it describes nobody.
    var isEmpty: Bool { identity == nil && name == nil && gln == nil && legalID == nil }

    /// The value of a key.
    func value(_ key: PartyKey) -> String? {
        switch key {
        case .external: code
        case .siret: siret
        case .vat: vat
        case .siren: siren
        case .gln: gln
        case .nameAndPostalCode:
            if let name, let postalCode { "\(name)\u{1F}\(postalCode)" } else { nil }
        }
    }

    /// Equal for references that say the same, so that a person decides once on all of them.
    var fingerprint: [UInt8] {
        let parts = [code, siret, siren, vat, gln, name?.lowercased(), postalCode].map { $0 ?? "" }
        return Array(SHA256.hash(data: Array(parts.joined(separator: "\u{1F}").utf8)).prefix(16))
    }

    /// Whether an official number with valid check digits names it.
    var hasValidIdentifier: Bool {
        siren.map(CompanyIdentifier.isSIREN) == true || siret.map(CompanyIdentifier.isSIRET) == true
            || vat.map(VATNumber.isValid) == true
    }

    /// What two new references of one party share.
    var identity: String? { siren ?? vat ?? code.map { "code:" + $0 } }

    /// Everything by which another description may be known to mean the same, the surest first.
    var identities: [String] {
        [code.map { "code:" + $0 }, siren, vat.map { "vat:" + $0 }].compactMap(\.self)
    }

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
