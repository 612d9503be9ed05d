// SPDX-License-Identifier: Apache-2.0
// Structured records: paths through JSON objects, Singer's messages, what is broken.

import Diagnostics
import Mapping
import Model
import Tabular
import Testing

@Suite struct RecordSourceTests {
    private func mapping(_ source: String) throws -> MappingDefinition {
        try MappingDefinition.parse(
            """
            mapping: t
            version: 1
            target: invoice
            source: \(source)
            fields:
              kind: {path: type, enum: {F: invoice, A: credit_note}, else: error}
              number: {path: id, required: true}
              issue_date: {path: dates/emission, required: true}
              currency: {path: devise, default: EUR}
              buyer.name: {first: [client/raison, client/nom]}
              gross_total: {path: "montants[code='TTC']/valeur | total", required: true}
              lines: {each: lignes, fields: {label: {path: libelle}, net: {path: ht}}}
            """, file: "t.yaml")
    }

    private func read(_ definition: MappingDefinition, _ text: String) throws -> [MappedItem] {
        var probe = EncodingProbe()
        probe.feed(Array(text.utf8))
        probe.finish()
        var reader = try MappingReader(definition, probe: probe)
        var items: [MappedItem] = []
        try reader.feed(Array(text.utf8)) { items.append($0) }
        try reader.finish { items.append($0) }
        return items
    }

    private let record =
        #"{"type":"F","id":12,"dates":{"emission":"2026-01-02"},"client":{"raison":null,"nom":"Dupré"},"montants":[{"code":"HT","valeur":10.00},{"code":"TTC","valeur":12.00}],"lignes":[{"libelle":"Vis","ht":10.00},{"libelle":"Clou"}]}"#

    @Test func `paths, conditions and rows lead through objects`() throws {
        let items = try read(try mapping("{kind: record}"), record)
        #expect(items.map(\.findings) == [[]])
        let values = ["kind", "number", "issue_date", "currency", "buyer.name", "gross_total"].map {
            items[0].record[$0]?.description
        }
        #expect(values == ["invoice", "12", "2026-01-02", "EUR", "Dupré", "12.00"])
        let lines = items[0].record.schema.collection("lines") ?? 0
        #expect(
            items[0].record.rows(lines).map { $0.compactMap { $0?.description } } == [
                ["Vis", "10.00"], ["Clou"],
            ])
    }

    @Test func `of Singer's messages, the records of the stream are read`() throws {
        let text = """
            {"type":"SCHEMA","stream":"s","schema":{}}
            {"type":"RECORD","stream":"s","record":\(record)}
            {"type":"RECORD","stream":"autre","record":{"id":1}}
            {"type":"STATE","value":{}}
            {"type":"RECORD","stream":"s"}
            {"type":"RECORD","stream":"s","record":[\(record),\(record)]}

            """
        let items = try read(try mapping("{kind: record, stream: s}"), text)
        #expect(items.map { $0.record.origin.line } == [2, 5, 6])
        #expect(items.map { $0.findings.map(\.code) } == [[], ["JSON-MALFORMED"], ["JSON-MALFORMED"]])
    }

    @Test func `a record without what its entity needs is faulty, whatever the mapping says`() throws {
        let lenient = record.replacing("\"type\":\"F\",", with: "")
        let items = try read(try mapping("{kind: record}"), lenient)
        #expect(items[0].findings.map { "\($0.code) \($0.place.field ?? "")" } == ["FIELD-REQUIRED kind"])
    }

    @Test func `a broken record is faulty alone, a broken file is refused`() throws {
        let items = try read(
            try mapping("{kind: record}"), "[\(record),\n{\"id\":1,\"id\":2},\n{\"type\" \"F\"},\n\(record)]")
        #expect(
            items.map { $0.findings.map(\.code) } == [[], ["JSON-DUPLICATE-KEY"], ["JSON-MALFORMED"], []])
        #expect(items.map { $0.record.origin.line } == [1, 2, 3, 4])
        #expect(throws: (any Error).self) { try read(try mapping("{kind: record}"), "{\"id\":1}\nx") }
        #expect(throws: (any Error).self) { try read(try mapping("{kind: record}"), "[{\"id\":1}") }
    }
}
