// SPDX-License-Identifier: Apache-2.0
// A mapping tried on one record: what stood there, and what became of it.

package import Diagnostics
internal import Model
internal import Tabular

/// The beginning of a file that a mapping is tried on.
package struct MappingSample: Sendable {
    /// Name of the file, without folders.
    package let name: String
    /// Its first bytes, or all.
    package let bytes: [UInt8]
    /// The second file, for mappings that read two.
    package let detail: [UInt8]?
    /// The record that is meant; nil = the first.
    package let place: RecordPlace?

    /// A sample.
    package init(name: String, bytes: [UInt8], detail: [UInt8]? = nil, place: RecordPlace? = nil) {
        (self.name, self.bytes, self.detail, self.place) = (name, bytes, detail, place)
    }
}

/// How a field of a mapping gets its value, with what came of it in one record.
package struct TriedField: Sendable {
    /// The rule.
    package let rule: FieldExplanation
    /// Where the value was found: the place that had it, among those of the rule.
    package let origin: String?
    /// What stood there; of child rows nothing.
    package let before: String?
    /// What it became; of child rows, in the first.
    package let after: String?
    /// What is wrong with it.
    package let findings: [Diagnostic]
}

/// What a mapping makes of one record of a sample.
package struct MappingTrial: Sendable {
    /// The record; nil where none was read.
    package let item: MappedItem?
    /// Why the file could not be read.
    package let fault: Diagnostic?
    /// Its fields, in the mapping's order, with or without a record.
    package let fields: [TriedField]

    /// Thrown to read no further.
    private struct Enough: Error {}

    /// Tries a mapping on a record of a sample; without a sample, its fields only.
    package init(_ definition: MappingDefinition, on sample: MappingSample?) {
        var found: MappedItem?
        var fault: Diagnostic?
        if let sample {
            do {
                try Self.read(definition, sample) { item in
                    if let place = sample.place, !place.isMeant(by: item.record.origin) { return }
                    found = item
                    throw Enough()
                }
            } catch is Enough {
            } catch let error as any ReportableError {
                fault = error.inFile(sample.name).diagnostic
            } catch {
                fault = Diagnostic(code: "UNEXPECTED")
            }
        }
        (item, self.fault) = (found, fault)
        fields = definition.explanation.map { Self.field($0, found) }
    }

    private static func read(
        _ definition: MappingDefinition, _ sample: MappingSample, _ body: (inout MappedItem) throws -> Void
    ) throws {
        var reader = try MappingReader(
            definition, probe: EncodingProbe(of: sample.bytes), fileName: sample.name,
            detail: sample.detail.map { EncodingProbe(of: $0) })
        reader.explains = true
        try reader.feed(sample.bytes, body)
        if let detail = sample.detail {
            try reader.finishFirst()
            try reader.feedDetail(detail)
            try reader.feedDetail([], isLast: true)
        }
        try reader.finish(body)
    }

    private static func field(_ rule: FieldExplanation, _ item: MappedItem?) -> TriedField {
        let trace = item?.traces.first { $0.field == rule.field }
        let findings = item?.findings.filter { finding in
            finding.place.field?.replacing(#/\[\d+\]/#, with: "") == rule.field
        }
        return TriedField(
            rule: rule, origin: trace?.origin, before: trace?.source,
            after: item.flatMap { Self.value(of: rule.field, in: $0.record) }, findings: findings ?? [])
    }

    /// The value of a field; of child rows, of the first one.
    private static func value(of field: String, in record: Record) -> String? {
        if let value = record[field] { return value.description }
        for (index, collection) in record.schema.collections.enumerated() {
            guard field.hasPrefix(collection.name + "."), record.children[index].count > 0 else { continue }
            let name = field.dropFirst(collection.name.count + 1)
            guard let slot = collection.fields.firstIndex(where: { $0.name == name }) else { return nil }
            return record.rows(index)[0][slot]?.description
        }
        return nil
    }
}

extension RecordPlace {
    /// Whether it is where a record stands.
    fileprivate func isMeant(by origin: Origin) -> Bool {
        guard let bytes, let found = origin.bytes else { return ordinal == origin.ordinal }
        return bytes.lowerBound == found.lowerBound
    }
}

extension EncodingProbe {
    /// What a pass over some bytes finds.
    fileprivate init(of bytes: [UInt8]) {
        self.init()
        feed(bytes)
        finish()
    }
}
