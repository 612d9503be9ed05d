// SPDX-License-Identifier: Apache-2.0
// Every text that people read, in French or English, from one catalogue.

package import Diagnostics
internal import Foundation
internal import struct Model.Decimal
internal import Yams

/// A language of the interface.
package enum Language: String, Sendable, CaseIterable {
    case french = "fr"
    case english = "en"

    /// The language of a POSIX locale name (`fr_FR.UTF-8`); French for every other language than English, and
    /// for none.
    package init(locale: String?) {
        self = locale?.hasPrefix("en") == true ? .english : .french
    }
}

/// The texts of one language.
///
/// A text shows facts as `{name}`; a part in double brackets is left out where one of its facts is empty:
/// `colonne inconnue {key}[[, vouliez-vous dire {suggestion} ?]]`.
package struct Words: Sendable {
    /// Which language these are.
    package let language: Language
    private let texts: [String: String]

    /// Loads the catalogue of a language.
    ///
    /// - Throws: what reading or parsing the file throws; the catalogue is part of the program.
    package init(_ language: Language) throws {
        self.language = language
        let file = Bundle.module.bundleURL.appending(path: "Catalogue/\(language.rawValue).yaml")
        let root = try Yams.compose(yaml: try String(contentsOf: file, encoding: .utf8))
        var texts: [String: String] = [:]
        for (key, value) in root?.mapping ?? [:] {
            guard let key = key.string else { continue }
            if let text = value.string { texts[key] = text }
            for (part, text) in value.mapping ?? [:] { texts["\(key).\(part.string ?? "")"] = text.string }
        }
        self.texts = texts
    }

    /// Every key of the catalogue.
    package var keys: Set<String> { Set(texts.keys) }

    /// The text under a key; the key itself where there is none.
    package func callAsFunction(_ key: String, _ facts: [String: String] = [:]) -> String {
        texts[key].map { Self.fill($0, facts) } ?? key
    }

    /// The form of a text for a number: `key.one` or `key.other`, with `{count}`.
    ///
    /// French counts 0 and 1 as one, English only 1 (CLDR plural rules).
    package func callAsFunction(_ key: String, count: Int, _ facts: [String: String] = [:]) -> String {
        let isOne = language == .french ? abs(count) < 2 : count == 1
        return self("\(key).\(isOne ? "one" : "other")", facts.merging(["count": number(count)]) { $1 })
    }

    /// The text under a key; nil where there is none.
    package func known(_ key: String, _ facts: [String: String] = [:]) -> String? {
        texts[key].map { Self.fill($0, facts) }
    }

    /// What a code means, for many records at once: without the values of one of them.
    package func cause(_ code: String) -> String {
        if let text = texts[code + ".cause"] { return text }
        // A sentence with a hole in it says less than the code; a code without one is a check of a mapping.
        guard let text = texts[code + ".message"] else { return self("page.cause.check", ["code": code]) }
        return text.contains("{") ? self("page.cause.code", ["code": code]) : Self.withoutColon(text)
    }

    /// What a diagnostic says; rules of a mapping bring their own sentence.
    package func message(_ diagnostic: Diagnostic) -> String {
        let facts = facts(of: diagnostic)
        // A mapping's own sentence comes before the norm's, whose code it may bear.
        if let text = diagnostic.facts["message"] { return Self.fillOwn(text, facts) }
        return texts[diagnostic.code + ".message"].map { Self.fill($0, facts) } ?? diagnostic.code
    }

    /// What a diagnostic says, with the value at fault where its sentence does not name it.
    package func sentence(_ diagnostic: Diagnostic) -> String {
        let message = message(diagnostic)
        guard let value = diagnostic.place.value, !message.contains(value) else {
            return Self.withoutColon(message)
        }
        let quoted = language == .french ? "«\u{A0}\(value)\u{A0}»" : "“\(value)”"
        return message.hasSuffix(":") ? "\(message) \(quoted)" : "\(message)\u{A0}: \(quoted)"
    }

    /// What to do about a diagnostic; nil where the catalogue has no advice.
    package func hint(_ diagnostic: Diagnostic) -> String? {
        texts[diagnostic.code + ".hint"].map { Self.fill($0, facts(of: diagnostic)) }
    }

    private func facts(of diagnostic: Diagnostic) -> [String: String] {
        var facts = diagnostic.facts
        let place = diagnostic.place
        facts["file"] = facts["file"] ?? place.file
        facts["line"] = place.line.map(String.init)
        facts["field"] = facts["field"] ?? place.field
        facts["value"] = facts["value"] ?? place.value
        if let words = facts["errno"].flatMap({ texts["errno.\($0)"] }) { facts["detail"] = words }
        if let word = facts["record"].flatMap({ texts["entity.\($0)"] }) { facts["record"] = word }
        // Kinds of values are words of the user's language too.
        for key in ["expected", "kind"] {
            if let word = facts[key].flatMap({ texts["expected.\($0)"] }) { facts[key] = word }
        }
        // So are sizes.
        for (key, text) in facts where key.hasSuffix("Bytes") {
            if let count = Int(text) { facts[key] = bytes(count) }
        }
        // And amounts: those that a rule compares, and numbers in the sentence of a mapping's check.
        if facts["actual"] != nil {
            for key in ["actual", "expected"] {
                if let value = facts[key].flatMap({ Decimal($0) }) { facts[key] = decimals(value) }
            }
        }
        for (key, text) in facts where key.hasPrefix("number.") {
            if let value = Decimal(text) { facts[key] = decimal(value) }
        }
        if language == .french, let formats = facts["formats"] { facts["formats"] = Self.french(formats) }
        return facts
    }

    /// A pattern of dates with the letters of French words: `jj/mm/aaaa`.
    private static func french(_ formats: String) -> String {
        String(formats.map { ["d": "j", "M": "m", "y": "a"][$0] ?? $0 })
    }

    /// A sentence that a value would follow, where none does.
    private static func withoutColon(_ text: String) -> String {
        guard text.hasSuffix(":") else { return text }
        return String(text.dropLast()).trimmingCharacters(in: .whitespaces)
    }

    // MARK: - Templates

    /// A sentence of a mapping with its values; braces that name no fact are the author's own.
    private static func fillOwn(_ text: String, _ facts: [String: String]) -> String {
        var output = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            output += rest[..<open] + (facts[name] ?? "{\(name)}")
            rest = rest[rest.index(after: close)...]
        }
        return output + rest
    }

    private static func fill(_ text: String, _ facts: [String: String]) -> String {
        var output = ""
        var rest = Substring(text)
        while let open = rest.range(of: "[["), let close = rest.range(of: "]]") {
            output += substitute(rest[..<open.lowerBound], facts).text
            let part = substitute(rest[open.upperBound..<close.lowerBound], facts)
            if part.isComplete { output += part.text }
            rest = rest[close.upperBound...]
        }
        return output + substitute(rest, facts).text
    }

    /// Puts facts in place of `{name}`; says whether every one was there.
    private static func substitute(
        _ text: Substring, _ facts: [String: String]
    ) -> (text: String, isComplete: Bool) {
        var output = ""
        var isComplete = true
        var rest = text
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            output += rest[..<open]
            let fact = facts[String(rest[rest.index(after: open)..<close])] ?? ""
            if fact.isEmpty { isComplete = false }
            output += fact
            rest = rest[rest.index(after: close)...]
        }
        return (output + rest, isComplete)
    }
}
