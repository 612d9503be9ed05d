// SPDX-License-Identifier: Apache-2.0
// Mappings of the other direction: what they write, what they refuse to write, and their own mistakes.

import Diagnostics
import Mapping
import Model
import Testing

@Suite struct ExportTests {
    private func record(
        _ values: [String: Value], lines: [(String, Decimal)] = [], entity: String = "invoice"
    ) throws -> Record {
        let schema = try #require(EntitySchema.named(entity))
        var record = Record(schema: schema, origin: Origin(ordinal: 1, line: 7))
        for (name, value) in values { record[name] = value }
        let collection = schema.collection("lines") ?? 0
        for (label, net) in lines {
            record.append(
                schema.collections[collection].fields.map { field in
                    field.name == "label" ? .text(label) : field.name == "net" ? .decimal(net) : nil
                }, to: collection)
        }
        return record
    }

    private func definition(_ output: String, _ fields: String) throws -> ExportDefinition {
        try ExportDefinition.parse(
            """
            mapping: t
            version: 1
            direction: export
            target: invoice
            output: \(output)
            \(fields)
            """, file: "t.yaml")
    }

    /// What is written, and the codes of what is not.
    private func write(_ definition: ExportDefinition, _ records: [Record]) -> (text: String, codes: [String])
    {
        var exporter = RecordExporter(definition)
        var bytes: [UInt8] = []
        var codes: [String] = []
        for record in records {
            codes += exporter.write(record).map(\.code)
            bytes += exporter.take()
        }
        bytes += exporter.take(isLast: true)
        return (String(decoding: bytes, as: UTF8.self), codes)
    }

    private let day = CalendarDate(year: 2026, month: 3, day: 9) ?? CalendarDate(daysSince1970: 0)

    @Test func `a table is written in French form, and no text in it is a formula`() throws {
        let definition = try definition(
            "{kind: csv, encoding: utf-8, locale: fr}",
            """
            columns:
              Numéro: {value: number, required: true}
              Client: buyer.name
              Date: {value: issue_date, format: dd/MM/yy}
              HT: {value: net_total, decimals: 2}
              Net: {value: net_total - 10}
              Gros: net_total > 1000
              Statut: {value: billing_status, enum: {paid: payée}}
              Fixe: "'x;y'"
            only: kind = 'invoice'
            """)
        let values: [String: Value] = [
            "kind": .text("invoice"), "number": .text("=1+1"), "buyer.name": .text("@SUM(A1)"),
            "issue_date": .date(day), "net_total": .decimal(try #require(Decimal("-1234.5"))),
            "billing_status": .text("paid"),
        ]
        var unwanted = values
        unwanted["kind"] = .text("credit_note")
        var incomplete = values
        incomplete["number"] = nil
        let written = write(definition, [try record(values), try record(unwanted), try record(incomplete)])
        #expect(
            written.text == "Numéro;Client;Date;HT;Net;Gros;Statut;Fixe\r\n"
                + "'=1+1;'@SUM(A1);09/03/26;-1234,50;-1244,5;false;payée;\"x;y\"\r\n")
        #expect(written.codes == ["FIELD-REQUIRED"])
    }

    @Test func `each child row may be a row, and a character that the encoding lacks is refused`() throws {
        let definition = try definition(
            "{kind: csv, encoding: windows-1252, header: false, each: lines, delimiter: ','}",
            "columns: {Num: number, Label: label, Net: net, Count: count(lines)}")
        let good = try record(["number": .text("F1")], lines: [("Écrou €", Decimal(2)), ("Vis", Decimal(3))])
        var exporter = RecordExporter(definition)
        #expect(exporter.write(good).isEmpty)
        #expect(
            exporter.take() == Array("F1,".utf8) + [0xC9] + Array("crou ".utf8) + [0x80]
                + Array(",2,2\r\nF1,Vis,3,2\r\n".utf8))
        let bad = try record(["number": .text("F2")], lines: [("Vis", Decimal(1)), ("Ωmega", Decimal(1))])
        #expect(exporter.write(bad).map(\.code) == ["EXPORT-ENCODING"])
        #expect(exporter.write(try record(["number": .text("F3")])).map(\.code) == ["EXPORT-NO-ROWS"])
        #expect(exporter.take(isLast: true) == [])
        #expect(exporter.count == 1)
        #expect(exporter.write(try record([:], entity: "account")).map(\.code) == ["EXPORT-ENTITY"])
    }

    @Test func `paths become one tree, and empty elements are left out`() throws {
        let definition = try definition(
            "{kind: xml, root: x:r, record: x:i, namespaces: {x: 'urn:x&y'}}",
            """
            paths:
              x:n: number
              x:a/x:b/x:c: buyer.name
              x:a/x:b/@d: currency
              x:e: due_date
              x:a/x:f: issue_date
              x:l/x:m: {each: lines, fields: {x:t: label, x:v: {value: net, decimals: 1}, x:w: number}}
            """)
        let values: [String: Value] = [
            "number": .text("<1>"), "buyer.name": .text("A & \u{1}"), "currency": .text("EUR"),
            "issue_date": .date(day),
        ]
        var good = values
        good["buyer.name"] = .text("A & B")
        let written = write(
            definition,
            [try record(good, lines: [("Vis", Decimal(2)), ("Clou", Decimal(3))]), try record(values)])
        #expect(
            written.text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <x:r xmlns:x="urn:x&amp;y">
                  <x:i>
                    <x:n>&lt;1&gt;</x:n>
                    <x:a>
                      <x:b d="EUR">
                        <x:c>A &amp; B</x:c>
                      </x:b>
                      <x:f>2026-03-09</x:f>
                    </x:a>
                    <x:l>
                      <x:m>
                        <x:t>Vis</x:t>
                        <x:v>2.0</x:v>
                        <x:w>&lt;1&gt;</x:w>
                      </x:m>
                      <x:m>
                        <x:t>Clou</x:t>
                        <x:v>3.0</x:v>
                        <x:w>&lt;1&gt;</x:w>
                      </x:m>
                    </x:l>
                  </x:i>
                </x:r>

                """)
        #expect(written.codes == ["EXPORT-CHARACTER"])
        #expect(write(definition, []).text.hasSuffix("<x:r xmlns:x=\"urn:x&amp;y\">\n</x:r>\n"))
    }

    @Test func `records, rows and elements alone may have attributes`() throws {
        let definition = try definition(
            "{kind: xml, record: i, root: r}",
            """
            paths:
              "@n": number
              a/@b: currency
              a2/@b: buyer.name
              l: {each: lines, fields: {"@t": label}}
            """)
        let values: [String: Value] = ["number": .text("1\"2"), "currency": .text("EUR")]
        let written = write(definition, [try record(values, lines: [("Vis", Decimal(2))])])
        #expect(written.codes.isEmpty)
        #expect(
            written.text.split(separator: "\n").dropFirst(2).dropLast().map { $0.trimmed } == [
                "<i n=\"1&quot;2\">", "<a b=\"EUR\"/>", "<l t=\"Vis\"/>", "</i>",
            ])
    }

    @Test(
        arguments: [
            ("{kind: csv}", "columns: {a: numbr}", "MAP-FIELD-UNKNOWN 6"),
            ("{kind: csv}", "columns: {a: {value: number, formt: x}}", "MAP-KEY-UNKNOWN 6"),
            ("{kind: csv}", "columns: {a: {value: issue_date, format: ddMM}}", "MAP-FORMAT-INVALID 6"),
            ("{kind: csv}", "columns: {a: number + 1}", "MAP-EXPRESSION-TYPE 6"),
            ("{kind: csv}", "paths: {a: number}", "MAP-SOURCE-CONFLICT 6"),
            ("{kind: csv, each: line}", "columns: {a: number}", "MAP-VALUE-UNKNOWN 5"),
            ("{kind: csvv}", "columns: {a: number}", "MAP-VALUE-UNKNOWN 5"),
            ("{kind: xml, record: x:i}", "paths: {x:a: number}", "MAP-KEY-MISSING 5"),
            ("{kind: xml, record: i, root: r}", "paths: {x:a: number}", "MAP-PREFIX-UNKNOWN 6"),
            ("{kind: xml, record: i, root: r}", "paths: {a//b: number}", "MAP-PATH-INVALID 6"),
            ("{kind: xml, record: i, root: '1'}", "paths: {a: number}", "MAP-PATH-INVALID 5"),
            ("{kind: csv}", "columns: {a: number}\nfields: {}", "MAP-KEY-UNKNOWN 7"),
            ("{kind: csv}", "columns: {a: {required: true}}", "MAP-KEY-MISSING 6"),
            ("{kind: csv}", "columns: {}", "MAP-KEY-MISSING 6"),
            ("{kind: csv, encoding: windows-1252}", "columns: {№: number}", "MAP-COLUMN-ENCODING 6"),
            ("{kind: csv, encoding: utf-16}", "columns: {a: number}", "MAP-VALUE-UNKNOWN 5"),
            ("{kind: csv, locale: overpunch}", "columns: {a: number}", "MAP-VALUE-UNKNOWN 5"),
            ("{kind: xml, record: i, root: r, each: lines}", "paths: {a: number}", "MAP-SOURCE-CONFLICT 5"),
            ("{kind: xml, record: i, root: r}", "paths: {a/@b/c: number}", "MAP-PATH-INVALID 6"),
            ("{kind: xml, record: i, root: r}", "paths: {a: {each: lines}}", "MAP-KEY-MISSING 6"),
        ])
    func `mistakes are found where they stand`(output: String, fields: String, expected: String) {
        do {
            _ = try definition(output, fields)
            Issue.record("no fault: \(fields)")
        } catch let error as MappingFaults {
            #expect(
                error.faults.map { "\($0.code) \($0.place.line ?? 0)" }.contains(expected), "\(error.faults)")
        } catch { Issue.record("\(error)") }
    }
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
