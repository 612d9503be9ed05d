// SPDX-License-Identifier: Apache-2.0
// JSON columns: what Relais writes into them is made here.

package import Diagnostics
internal import FoundationEssentials

/// The text of a JSON document, sent and kept as `jsonb`.
package struct JSONText: PostgreSQLCodable, Hashable {
    /// The JSON text.
    package var text: String

    /// JSON as `jsonb` holds it.
    package init(_ text: String) {
        self.text = text
    }

    package static var typeID: TypeID { .jsonb }
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(1)
        bytes.append(contentsOf: text.utf8)
    }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError)
        -> JSONText
    {
        JSONText(try String.decode(&bytes, as: type))
    }
}

extension JSONText {
    /// An object of texts.
    package init(facts: [String: String]) {
        self.init(encoding: facts)
    }

    /// A code with its facts.
    package init(code: String, facts: [String: String]) {
        self.init(encoding: facts.merging(["code": code]) { $1 })
    }

    /// An error as runs and jobs keep it: its code, its facts, and the file where one is to blame.
    package init(_ error: Diagnostic) {
        let facts = error.facts.merging(error.place.file.map { ["file": $0] } ?? [:]) { $1 }
        self.init(code: error.code, facts: facts)
    }

    /// Findings with their code, severity, field and facts.
    package init(findings: [Diagnostic]) {
        self.init(
            encoding: findings.map { finding in
                finding.facts.merging(
                    [
                        "code": finding.code, "field": finding.place.field ?? "",
                        "severity": finding.severity.rawValue,
                    ]
                ) { $1 }
            })
    }

    /// The members of an object of texts.
    package var objectOfTexts: [String: String] {
        (try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))) ?? [:]
    }

    /// The JSON of texts, and of lists and maps of texts, which always encode.
    package init(encoding value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(value)) ?? Data()
        // PostgreSQL's jsonb has no NUL character.
        self.init(String(decoding: data, as: UTF8.self).replacing("\\u0000", with: "\\ufffd"))
    }
}
