// SPDX-License-Identifier: Apache-2.0
// Mapping files: every fault with its place, all in one go.

import Diagnostics
import Mapping
import Testing

@Suite struct MappingParserTests {
    private let valid = """
        mapping: essai
        version: 1
        target: account
        source:
          kind: csv
          encoding: [utf-8]
          dialect: {delimiter: ";"}
        fields:
          name: {col: nom, required: true}
          siren: {col: siren, keep: '^\\d{9}$'}
        match: {account: {try: [[siren, siren]], none: create}}
        """

    /// `line:column code` of every fault after one replacement.
    private func faults(_ old: String, _ new: String) throws -> [String] {
        let text = valid.replacing(old, with: new)
        try #require(text != valid)
        do {
            _ = try MappingDefinition.parse(text, file: "essai.yaml")
            return []
        } catch {
            return error.faults.map { "\($0.place.line ?? 0):\($0.place.column ?? 0) \($0.code)" }
        }
    }

    @Test func `a right mapping has no fault`() throws {
        let mapping = try MappingDefinition.parse(valid, file: "essai.yaml")
        #expect(mapping.identifier == "essai@1")
        #expect(mapping.accountMatch.unknown == .create)
    }

    @Test func `each kind of fault is found at its place`() throws {
        #expect(try faults("kind: csv", "kinde: csv") == ["5:3 MAP-KEY-UNKNOWN", "5:3 MAP-KEY-MISSING"])
        #expect(try faults("kind: csv", "kind: cvs") == ["5:9 MAP-VALUE-UNKNOWN"])
        #expect(try faults("target: account", "target: acount") == ["3:9 MAP-VALUE-UNKNOWN"])
        #expect(try faults("utf-8", "utf-9") == ["6:14 MAP-VALUE-UNKNOWN"])
        #expect(try faults("siren: {col", "sirene: {col") == ["10:3 MAP-FIELD-UNKNOWN"])
        #expect(
            try faults("name: {col: nom, required: true}", "vat: {col: tva}") == ["9:3 MAP-FIELD-REQUIRED"])
        #expect(try faults("keep: '^\\d{9}$'", "keep: '^(\\d{9}$'") == ["10:29 MAP-PATTERN-INVALID"])
        #expect(try faults("{col: siren,", "{from: siren,") == ["9:3 MAP-REFERENCE-CYCLE"])
        #expect(
            try faults("[[siren, siren]]", "[[siren, sirem]]").map { $0.suffix(17) } == ["MAP-FIELD-UNKNOWN"])
        #expect(
            try faults("col: nom, required", "col: nom, type: date, required") == ["9:26 MAP-TYPE-DIFFERS"])
    }

    @Test func `several faults are reported together`() throws {
        #expect(try faults("kind: csv", "kind: csv\n  locale: xx\n  zip: yes").count == 2)
    }

    @Test func `YAML's own traps are refused`() throws {
        #expect(try faults("version: 1", "version: &a 1").map { $0.suffix(16) } == ["MAP-YAML-FEATURE"])
        #expect(try faults("version: 1", "version: 1\nversion: 2").map { $0.suffix(8) } == ["MAP-YAML"])
        #expect(try faults("version: 1", "version: [1").map { $0.suffix(8) } == ["MAP-YAML"])
    }

    @Test func `a misspelt word is answered with the right one`() throws {
        do {
            _ = try MappingDefinition.parse(valid.replacing("required", with: "requierd"), file: "essai.yaml")
            Issue.record("accepted")
        } catch {
            #expect(error.faults.first?.facts["suggestion"] == "required")
        }
    }
}
