// SPDX-License-Identifier: Apache-2.0
// The fields of an account that people may change, and what may stand in them.

internal import Model

/// A field of an account that people may change.
package enum AccountField: String, Sendable, CaseIterable, EditableField {
    case name, siren, siret, vat, street
    case postalCode = "postal_code"
    case city, country

    /// The table that it is a column of.
    var entity: String {
        switch self {
        case .name, .siren, .vat: "party"
        default: "site"
        }
    }

    /// What is wrong with a text; nil when nothing is.
    ///
    /// - Returns: a code of the message catalogue.
    package func fault(in text: String) -> String? {
        switch self {
        case .name: text.isEmpty || text.count > 300 ? "EDIT-NAME" : nil
        case .siren: text.isEmpty || CompanyIdentifier.isSIREN(text) ? nil : "EDIT-SIREN"
        case .siret: text.isEmpty || CompanyIdentifier.isSIRET(text) ? nil : "EDIT-SIRET"
        case .vat: text.isEmpty || text.wholeMatch(of: #/[A-Z0-9.+*]{4,20}/#) != nil ? nil : "EDIT-VAT"
        case .country: text.isEmpty || text.utf8.count == 2 ? nil : "EDIT-COUNTRY"
        default: text.count > 300 ? "EDIT-LONG" : nil
        }
    }

    /// A text as it is kept and compared: numbers without blanks, others on one line.
    package func normalised(_ text: String) -> String {
        switch self {
        case .siren, .siret: text.filter { !$0.isWhitespace }
        case .vat, .country: text.filter { !$0.isWhitespace }.uppercased()
        default: text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }
}
