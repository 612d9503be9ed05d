// SPDX-License-Identifier: Apache-2.0
// From the text of a source to a typed value: cleaning, choosing, parsing.

internal import Diagnostics
internal import Foundation
internal import Model

extension ValueRule {
    /// Cleans a text and applies `take`, `regex`, `keep` and `enum`; nil where nothing is left.
    func finish(_ text: String, at place: Place) throws(Diagnostic) -> String? {
        var text = cleaning.reduce(text) { $1.apply(to: $0) }
        if let take, text.utf8.count > take { text = String(text.prefix(take)) }
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
    ///
    /// Most values are ASCII and tidy already: bytes decide that, since walking characters costs a hundred times
    /// as much.
    func apply(to text: String) -> String {
        switch self {
        case .trim: text.hasBlankEnds ? text.trimmingCharacters(in: .whitespacesAndNewlines) : text
        case .squeeze:
            text.needsSqueezing ? text.split(whereSeparator: \.isWhitespace).joined(separator: " ") : text
        case .nospace: text.isPlain ? text : text.filter { !$0.isWhitespace }
        case .upper: text.utf8.contains { $0 >= 0x80 || (97...122).contains($0) } ? text.uppercased() : text
        case .lower: text.utf8.contains { $0 >= 0x80 || (65...90).contains($0) } ? text.lowercased() : text
        case .fold: text.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
        }
    }
}

extension String {
    /// Whether every byte is a visible ASCII character.
    fileprivate var isPlain: Bool { utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// Whether a character at either end is a blank.
    fileprivate var hasBlankEnds: Bool {
        [unicodeScalars.first, unicodeScalars.last].contains { $0?.isBlank == true }
    }

    /// Whether there are blanks other than single spaces between words.
    fileprivate var needsSqueezing: Bool {
        var previous: Unicode.Scalar = " "
        for scalar in unicodeScalars {
            if scalar == " " ? previous == " " : scalar.isBlank { return true }
            previous = scalar
        }
        return previous == " " && !isEmpty
    }

    /// Whether there are more characters than `limit`; bytes are counted first, as there are never fewer.
    fileprivate func isLonger(than limit: Int) -> Bool { utf8.count > limit && count > limit }
}

extension Unicode.Scalar {
    /// White space, ASCII decided without the tables of Unicode.
    fileprivate var isBlank: Bool {
        value < 0x80 ? value == 0x20 || (9...13).contains(value) : properties.isWhitespace
    }
}

extension FieldRule {
    /// The text as the field's type.
    ///
    /// - Throws: `FIELD-NOT-…` or `FIELD-TOO-LONG`, with the text as the place's value.
    func typed(_ text: String, at place: Place) throws(Diagnostic) -> Value {
        func fault(_ code: MappingError.Code, _ facts: [String: String] = [:]) -> Diagnostic {
            var place = place
            place.value = text
            return MappingError(code, facts, at: place).diagnostic
        }
        switch type {
        case .string:
            if text.isLonger(than: maxLength ?? .max) {
                throw fault(.tooLong, ["max": String(maxLength ?? 0), "count": String(text.count)])
            }
            return .text(text)
        case .decimal:
            guard let decimal = locale.decimal(text) else { throw fault(.notDecimal) }
            return .decimal(decimal)
        case .int:
            guard let integer = Int(text) else { throw fault(.notInteger) }
            return .integer(integer)
        case .date:
            guard let date = formats.lazy.compactMap({ $0.date(text) }).first else {
                throw fault(.notDate, ["formats": formats.map(\.pattern).joined(separator: ", ")])
            }
            return .date(date)
        case .bool:
            guard text == "true" || text == "false" else { throw fault(.notBoolean) }
            return .boolean(text == "true")
        case .currency:
            guard text.utf8.count == 3, text.utf8.allSatisfy({ (65...90).contains($0) }) else {
                throw fault(.notCurrency)
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
