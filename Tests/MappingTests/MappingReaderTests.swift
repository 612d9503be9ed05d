// SPDX-License-Identifier: Apache-2.0
// What mappings make of records: paths, conditions, cleaning, typing, checks.

import Diagnostics
import Mapping
import Model
import Tabular
import Testing

@Suite struct MappingReaderTests {
    /// An invoice mapping whose fields and checks are replaced by a test's own.
    private func mapping(_ fields: String, checks: String = "") throws -> MappingDefinition {
        let required = ["kind", "number", "issue_date", "currency", "gross_total"]
        let constants = ["invoice", "1", "2026-01-01", "EUR", "0"]
        let rest = zip(required, constants).filter { !fields.contains($0.0 + ":") }
            .map { "  \($0.0): {const: '\($0.1)'}\n" }.joined()
        return try MappingDefinition.parse(
            """
            mapping: t
            version: 1
            target: invoice
            source: {kind: xml, namespaces: {x: 'urn:x'}, record: 'x:r'}
            fields:
            \(rest)\(fields)
            \(checks)
            """, file: "t.yaml")
    }

    private func items(_ definition: MappingDefinition, _ text: String) throws -> [MappedItem] {
        var probe = EncodingProbe()
        probe.feed(Array(text.utf8))
        probe.finish()
        var reader = try MappingReader(definition, probe: probe)
        var items: [MappedItem] = []
        try reader.feed(Array(text.utf8)) { items.append($0) }
        try reader.finish { items.append($0) }
        return items
    }

    private func value(_ field: String, _ rule: String, _ body: String) throws -> String? {
        let items = try items(try mapping("  \(field): \(rule)"), "<r xmlns='urn:x'>\(body)</r>")
        return items[0].record[field]?.description
    }

    @Test func `a record whose fault hides whether it is wanted is not lost`() throws {
        let definition = try MappingDefinition.parse(
            """
            mapping: t
            version: 1
            target: ledger_entry
            source: {kind: csv, encoding: [utf-8], dialect: {delimiter: ";"}}
            only: account starts '411'
            fields:
              journal: {col: j, required: true}
              date: {col: d, required: true}
              account: {col: c, required: true}
            """, file: "t.yaml")
        let rows = "j;d;c\nVE;2026-01-01;411A\nVE;2026-01-01;706\nVE;2026-01-01;\nVE;demain;411B\n"
        let items = try items(definition, rows)
        #expect(items.map { $0.record.origin.line } == [2, 4, 5])
        #expect(items.map { $0.findings.map(\.code) } == [[], ["FIELD-REQUIRED"], ["FIELD-NOT-DATE"]])
    }

    @Test func `a file that keeps the processor busy for too long is stopped`() throws {
        let text = Array("<r xmlns='urn:x'><c>EUR</c></r>".utf8)
        var probe = EncodingProbe()
        probe.feed(text)
        probe.finish()
        let definition = try mapping("  currency: {path: x:c}")
        func read(_ budget: ProcessorBudget) throws {
            var reader = try MappingReader(definition, probe: probe, budget: budget)
            try reader.feed(text) { _ in }
        }
        let error = #expect(throws: MappingError.self) { try read(ProcessorBudget(start: 0, perMebibyte: 0)) }
        #expect(error?.diagnostic.code == "MAP-TOO-SLOW")
        try read(.standard)
    }

    @Test func `conditions choose among elements of one name`() throws {
        let body = "<a k='1'>un</a><a k='2'>deux</a><b><t>X</t><v>non</v></b><b><t>Y</t><v>oui</v></b>"
        #expect(try value("order_ref", "{path: \"x:a[@k='2']\"}", body) == "deux")
        #expect(try value("order_ref", "{path: \"x:b[x:t='Y']/x:v\"}", body) == "oui")
        #expect(try value("order_ref", "{path: \"x:a[2]\"}", body) == "deux")
        #expect(try value("order_ref", "{path: \"x:a[@k='3']\"}", body) == nil)
        #expect(try value("order_ref", "{path: x:a/@k}", body) == "1")
        #expect(try value("order_ref", "{path: x:z | x:a}", body) == "un")
    }

    @Test func `a condition may compare with another field, wherever that stands`() throws {
        let definition = try mapping(
            "  currency: {path: x:c}\n  tax_total: {path: \"x:t[@u=$currency]\"}")
        let items = try items(definition, "<r xmlns='urn:x'><t u='USD'>1</t><t u='EUR'>2</t><c>EUR</c></r>")
        #expect(items[0].record.decimal("tax_total")?.description == "2")
    }

    @Test func `of several places the first whose text survives cleaning wins`() throws {
        let rule = "{first: [x:a, x:b], clean: [nospace], keep: '^[0-9]{3}$'}"
        #expect(try value("order_ref", rule, "<a>abc</a><b>1 2 3</b>") == "123")
        #expect(try value("order_ref", rule, "<a>999</a><b>123</b>") == "999")
        #expect(try value("order_ref", rule, "<a/><b>no</b>") == nil)
    }

    @Test func `texts are cleaned in the order written`() throws {
        #expect(
            try value("order_ref", "{path: x:a, clean: [squeeze, upper], take: 5}", "<a> é  bc\n d </a>")
                == "É BC ")
        #expect(try value("order_ref", "{path: x:a, clean: [fold]}", "<a>Éàç</a>") == "eac")
        #expect(try value("order_ref", "{path: x:a, regex: '^FR..([0-9]+)'}", "<a>FR12345</a>") == "345")
        #expect(try value("order_ref", "{path: x:a, default: rien}", "<a> </a>") == "rien")
    }

    private func codes(_ rule: String, _ body: String) throws -> [String] {
        let items = try items(try mapping("  \(rule)"), "<r xmlns='urn:x'>\(body)</r>")
        return items[0].findings.map(\.code)
    }

    @Test func `a value of the wrong type is a finding with the value`() throws {
        #expect(
            try codes("due_date: {path: x:a, format: dd/MM/yyyy}", "<a>31/02/2026</a>") == ["FIELD-NOT-DATE"])
        #expect(try codes("net_total: {path: x:a}", "<a>1,5</a>") == ["FIELD-NOT-DECIMAL"])
        #expect(try codes("net_total: {path: x:a, locale: fr}", "<a>1 234,5</a>") == [])
        #expect(try codes("currency: {path: x:a, required: true}", "<a>euro</a>") == ["FIELD-NOT-CURRENCY"])
        #expect(try codes("number: {path: x:a, required: true}", "") == ["FIELD-REQUIRED"])
        #expect(try codes("number: {path: x:a, max: 3}", "<a>1234</a>") == ["FIELD-TOO-LONG"])
        #expect(
            try codes("kind: {path: x:a, enum: {F: invoice}, else: error}", "<a>Z</a>") == [
                "FIELD-NOT-IN-LIST"
            ])
        #expect(try codes("kind: {path: x:a, enum: {F: invoice}, else: credit_note}", "<a>Z</a>") == [])
        #expect(
            try codes("buyer.siren: {path: x:a, valid: siren}", "<a>404833047</a>") == ["FIELD-INVALID-SIREN"]
        )
    }

    @Test func `child rows keep their order and their own values`() throws {
        let definition = try mapping(
            "  lines:\n    each: x:l | x:m\n    fields: {label: {path: x:n}, net: {path: x:v}}")
        let items = try items(
            definition, "<r xmlns='urn:x'><n>no</n><l><n>a</n><v>1</v></l><m><v>2</v></m><l><n>c</n></l></r>")
        let rows = items[0].record.rows(try #require(EntitySchema.invoice.collection("lines")))
        #expect(rows.map { $0[1]?.description ?? "–" } == ["a", "–", "c"])
        #expect(rows.map { $0[4]?.description ?? "–" } == ["1", "2", "–"])
    }

    @Test func `checks compare exactly, and an unknown value fails none`() throws {
        func codes(_ expect: String, _ body: String) throws -> [String] {
            let definition = try mapping(
                "  net_total: {path: x:a}\n  tax_total: {path: x:b}",
                checks: "checks: [{id: C, expect: \"\(expect)\", message: \"{net_total} et {tax_total}\"}]")
            return try items(definition, "<r xmlns='urn:x'>\(body)</r>")[0].findings.map { finding in
                ["number.1", "number.2", "value.2"].reduce(finding.facts["message"] ?? "") {
                    $0.replacing("{\($1)}", with: finding.facts[$1] ?? "")
                }
            }
        }
        #expect(try codes("net_total + tax_total = 0.3", "<a>0.1</a><b>0.2</b>") == [])
        #expect(try codes("net_total = tax_total", "<a>1</a><b>2.00</b>") == ["1 et 2.00"])
        #expect(try codes("net_total = tax_total", "<a>1</a>") == [])
        #expect(try codes("exists(tax_total)", "<a>1</a>") == ["1 et –"])
        #expect(
            try codes(
                "not (net_total > 1 and tax_total <= 2) or abs(net_total) in (5, 7)", "<a>-7</a><b>2</b>")
                == [])
        #expect(try codes("round(net_total * tax_total / 100, 2) = 0.01", "<a>0.5</a><b>1</b>") == [])
    }

    @Test func `a row with another number of columns is refused and the next goes on`() throws {
        let definition = try MappingDefinition.parse(
            """
            mapping: t
            version: 1
            target: account
            source: {kind: csv, encoding: [utf-8], dialect: {delimiter: [",", ";"]}}
            fields: {name: {col: nom, required: true}, city: {col: ville}}
            """, file: "t.yaml")
        let items = try items(definition, "nom;ville\nA;Brest\nB\nC;Dijon\n")
        #expect(items.map(\.isApplicable) == [true, false, true])
        #expect(items[1].findings.first?.code == "CSV-RAGGED")
        #expect(items[1].findings.first?.place.line == 3)
        let error = #expect(throws: TabularError.self) { try self.items(definition, "nomm;ville\nA;B\n") }
        #expect(error?.diagnostic.code == "CSV-MISSING-COLUMN")
        #expect(error?.diagnostic.facts["suggestion"] == "nomm")
    }

    @Test func `a file of another kind is refused and not read as empty`() throws {
        #expect(throws: MappingError.self) { try items(try mapping("  order_ref: {path: x:a}"), "<html/>") }
    }

    @Test func `a pattern that backtracks without end gives up`() throws {
        #expect(
            try value(
                "order_ref", "{path: x:a, keep: '^(a+)+$'}", "<a>\(String(repeating: "a", count: 40))!</a>")
                == nil)
    }
}
