// SPDX-License-Identifier: Apache-2.0
// From the text of a source to a typed value: cleaning, choosing, parsing.

internal import Diagnostics
internal import Foundation
internal import Model

extension ValueRule {
    /// Cleans a text and applies `take`, `regex`, `keep` and `enum`; nil where nothing is left.
    func finish(_ text: String, at place: Place) throws(Diagnostic) -> String? {
        var text = cleaning.reduce(text) { $1.apply(to: $0) }
        if let take { text = String(text.prefix(take)) }
        if let regex {
            guard let match = regex.firstMatch(in: text) else { return nil }
            text = match
        }
        if let keep, keep.firstMatch(in: text) == nil { return nil }
        guard !text.isEmpty else { return nil }
        guard let choices else { return text }
        if let choice = choices[text] { return choice }
        switch otherwise {
        case .null: return nil
        case .value(let value): return value
        case .error:
            var place = place
            place.value = text
            throw MappingError(
                .notInList, ["known": choices.keys.sorted().joined(separator: ", ")], at: place
            )
            .diagnostic
        }
    }
}

extension Cleaning {
    /// The tidied text.
    func apply(to text: String) -> String {
        switch self {
        case .trim: text.trimmingCharacters(in: .whitespacesAndNewlines)
        case .squeeze: text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        case .nospace: text.filter { !$0.isWhitespace }
        case .upper: text.uppercased()
        case .lower: text.lowercased()
        case .fold: text.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
        }
    }
}

extension FieldRule {
    /// The text as the field's type.
    ///
    /// - Throws: `FIELD-NOT-…` or `FIELD-TOO-LONG`, with the text as the place's value.
    func typed(_ text: String, at place: Place) throws(Diagnostic) -> Value {
        var place = place
        place.value = text
        switch type {
        case .string:
            guard text.count <= maxLength ?? .max else {
                throw MappingError(
                    .tooLong, ["max": String(maxLength ?? 0), "count": String(text.count)], at: place
                )
                .diagnostic
            }
            return .text(text)
        case .decimal:
            guard let decimal = locale.decimal(text) else {
                throw MappingError(.notDecimal, at: place).diagnostic
            }
            return .decimal(decimal)
        case .int:
            guard let integer = Int(text) else { throw MappingError(.notInteger, at: place).diagnostic }
            return .integer(integer)
        case .date:
            guard let date = formats.lazy.compactMap({ $0.date(text) }).first else {
                let known = formats.map(\.pattern).joined(separator: ", ")
                throw MappingError(.notDate, ["formats": known], at: place).diagnostic
            }
            return .date(date)
        case .bool:
            guard text == "true" || text == "false" else {
                throw MappingError(.notBoolean, at: place).diagnostic
            }
            return .boolean(text == "true")
        case .currency:
            guard text.utf8.count == 3, text.utf8.allSatisfy({ (65...90).contains($0) }) else {
                throw MappingError(.notCurrency, at: place).diagnostic
            }
            return .text(text)
        }
    }
}

extension NumberLocale {
    /// The amount in `text`; nil where it is not one.
    func decimal(_ text: String) -> Model.Decimal? {
        switch self {
        case .plain: Model.Decimal(text)
        case .fr:
            Model.Decimal(
                text.replacing(",", with: ".").filter { !" \u{A0}\u{202F}".contains($0) })
        }
    }
}

extension ValueCheck {
    /// A warning where the text fails the check; the value is kept.
    func finding(_ text: String, at place: Place) -> Diagnostic? {
        let (holds, code): (Bool, MappingError.Code) =
            switch self {
            case .siren: (CompanyIdentifier.isSIREN(text), .invalidSIREN)
            case .siret: (CompanyIdentifier.isSIRET(text), .invalidSIRET)
            case .vat: (VATNumber.isValid(text), .invalidVAT)
            }
        guard !holds else { return nil }
        var finding = MappingError(code, at: place).diagnostic
        finding.place.value = text
        finding.severity = .warning
        return finding
    }
}
