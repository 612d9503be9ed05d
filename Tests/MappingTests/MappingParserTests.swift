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

    @Test func `words that a field cannot have are found wherever a rule gives them`() throws {
        let text = """
            mapping: essai
            version: 1
            target: invoice
            source: {kind: csv}
            fields:
              kind: {first: [{col: t, enum: {a: avoir}, else: "null"}, {const: facture}], default: invoice}
              number: {col: n, required: true}
              issue_date: {const: '2026-01-01'}
              currency: {const: EUR}
              gross_total: {col: g, required: true}
              billing_status: {col: s, enum: {p: paid, i: impaye}, else: opened}
            """
        let faults = #expect(throws: MappingFaults.self) {
            _ = try MappingDefinition.parse(text, file: "essai.yaml")
        }
        let found = faults?.faults.filter { $0.code == "MAP-VALUE-UNKNOWN" }.map { finding in
            "\(finding.place.line ?? 0) \(finding.facts["value"] ?? "") \(finding.facts["suggestion"] ?? "")"
        }
        #expect(found == ["6 avoir ", "6 facture ", "11 impaye ", "11 opened open"])
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
        #expect(try faults("version: 1", "version: &a 1").map { $0.suffix(12) } == ["YAML-FEATURE"])
        #expect(try faults("version: 1", "version: 1\nversion: 2").map { $0.suffix(11) } == ["YAML-SYNTAX"])
        #expect(try faults("version: 1", "version: [1").map { $0.suffix(11) } == ["YAML-SYNTAX"])
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

/// A mapping with thirty mistakes, each found at its place in one go.
@Suite struct SeededMistakeTests {
    private let text = """
        mapping: fautes
        versoin: 1
        target: invoice
        source:
          kind: xml
          namespace: {x: 'urn:x'}
          namespaces: {x: 'urn:x'}
          record: x:r
          limits: {depth: beaucoup, text: 1MiB}
          let: {t: x:totals}
        defs:
          unused: {name: {path: x:n}}
          party: {name: {path: x:n}, sirne: {path: x:s}}
        fields:
          kind: {const: invoice, requird: true}
          number: {path: y:ID, required: true}
          issue_date: {path: x:date, format: dd/MM/yy}
          due_date: {path: x:due, format: [dd/MM/yyyy, MM/dd/yyyy]}
          currency: {path: x:c, type: curency}
          gross_total: {path: //x:total}
          net_total: {path: x:a/../x:net, type: string}
          tax_total: {path: "x:t[@u=$curency]"}
          seller: {path: x:seller, use: party}
          buyer: {path: x:buyer, use: partie}
          contract_ref: {path: x:k, regex: '(['}
          order_ref: {path: $totals/x:o}
          billing_status: {path: x:s, enum: {a: open}}
          line_total: {path: x:l, locale: fra}
          payable: {from: payble}
          prepaid: {path: x:p, col: P}
          rounding: {}
          taxes: {fields: {rate: {path: x:r}}}
          lines:
            each: x:line
            fields:
              lable: {path: x:l}
              net: {path: x:n, clean: [trimm]}
        checks:
          - {id: A, expect: gross_total = net_totl}
          - {id: B, expect: sum(lines.net) + 'x' = 1}
          - {id: C, expect: "round(", severity: fatal}
          - {id: D, each: line, expect: count(line) > 0}
        match: {account: {try: [[siern, buyer.siren]], none: invent}}
        upsert: {key: [number, issue_dat], changed: versions}
        on_error: {record: ignore, stop_ratio: beaucoup}
        """

    @Test func `every mistake is found with its line and column`() throws {
        let faults = try #require(throws: MappingFaults.self) {
            try MappingDefinition.parse(text, file: "f.yaml")
        }.faults
        let found = faults.map { "\($0.place.line ?? 0):\($0.place.column ?? 0) \($0.code)" }
        for expected in [
            "1:1 MAP-KEY-MISSING", "2:1 MAP-KEY-UNKNOWN", "6:3 MAP-KEY-UNKNOWN", "9:19 MAP-VALUE-EXPECTED",
            "12:3 MAP-BLOCK-UNUSED", "13:30 MAP-FIELD-UNKNOWN", "15:26 MAP-KEY-UNKNOWN",
            "16:18 MAP-PREFIX-UNKNOWN", "17:38 MAP-FORMAT-INVALID", "18:48 MAP-FORMAT-AMBIGUOUS",
            "19:31 MAP-VALUE-UNKNOWN", "20:23 MAP-PATH-NOT-STREAMABLE", "21:21 MAP-PATH-NOT-STREAMABLE",
            "22:21 MAP-FIELD-UNKNOWN", "24:31 MAP-BLOCK-UNKNOWN", "25:36 MAP-PATTERN-INVALID",
            "26:21 MAP-VARIABLE-UNKNOWN", "27:37 MAP-KEY-MISSING", "28:35 MAP-VALUE-UNKNOWN",
            "29:19 MAP-FIELD-UNKNOWN", "30:29 MAP-SOURCE-CONFLICT", "31:13 MAP-KEY-MISSING",
            "32:10 MAP-KEY-MISSING", "36:7 MAP-FIELD-UNKNOWN", "37:32 MAP-VALUE-UNKNOWN",
            "39:21 MAP-FIELD-UNKNOWN", "40:21 MAP-EXPRESSION-TYPE", "41:21 MAP-EXPRESSION-ENDS",
            "42:19 MAP-VALUE-UNKNOWN", "43:25 MAP-VALUE-UNKNOWN", "43:54 MAP-VALUE-UNKNOWN",
            "44:24 MAP-FIELD-UNKNOWN", "44:45 MAP-VALUE-UNKNOWN", "45:20 MAP-VALUE-UNKNOWN",
            "45:40 MAP-VALUE-EXPECTED",
        ] { #expect(found.contains(expected), "\(expected) is not among \(found)") }
        #expect(
            faults.first { $0.code == "MAP-VALUE-UNKNOWN" && $0.place.line == 19 }?.facts["suggestion"]
                == "currency")
    }
}
