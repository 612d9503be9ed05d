// SPDX-License-Identifier: Apache-2.0
// A record that becomes an example: the smallest file that is read the same, and what it is read as.

package import Mapping
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Model

extension MappingExamples {
    /// Bytes of an example, at most.
    private static let limit = 256 << 10

    /// Keeps the record of a sample as an example of a mapping, with what it is read as.
    ///
    /// - Returns: name of its file.
    /// - Throws: `MAP-EXAMPLE-PATTERN` where the mapping's `tests` name no place for it; `MAP-EXAMPLE-RECORD` where no
    ///   record is read; `MAP-EXAMPLE-SIZE` where only a file too large is read the same; `MAP-SAVE-FOLDER`, `FILE-…`.
    package func keep(_ sample: MappingSample, of mapping: StoredMapping) throws -> String {
        guard let folder = shelf.folder else { throw MappingError(.saveFolder) }
        guard case .reading(let definition) = mapping.mapping,
            let pattern = definition.tests.first(where: { $0.contains("*") && !$0.contains("..") })
        else { throw MappingError(.examplePattern, ["name": mapping.mapping.name]) }
        guard let item = MappingTrial(definition, on: sample).item else {
            throw MappingError(.exampleRecord, ["file": sample.name])
        }
        let smallest = try Self.smallest(sample, item, definition)
        let place = (mapping.isOwn ? mapping.file.deletingLastPathComponent() : folder)
            .appending(path: pattern).deletingLastPathComponent()
        let name = try Self.freeName(pattern, in: place, besides: files(of: mapping.mapping))
        try Self.write(smallest.bytes, to: place.appending(path: name))
        if let detail = smallest.detail, let second = try definition.detailName(besides: name) {
            try Self.write(detail, to: place.appending(path: second))
        }
        try Self.accept(
            place.appending(path: name), MappingChooser(try shelf.library(), named: definition))
        return name
    }

    /// The record alone, with the header of its table, where that is read the same; the whole sample otherwise.
    private static func smallest(
        _ sample: MappingSample, _ item: MappedItem, _ definition: MappingDefinition
    ) throws(MappingError) -> MappingSample {
        let whole = MappingSample(name: sample.name, bytes: sample.bytes, detail: sample.detail)
        let first = MappingTrial(definition, on: whole).item?.record.origin
        if sample.detail == nil, let range = item.record.origin.bytes, range.upperBound <= sample.bytes.count,
            let head = first?.bytes?.lowerBound, definition.format != .xml
        {
            let row = item.raw ?? Array(sample.bytes[range])
            let small = MappingSample(
                name: sample.name, bytes: sample.bytes.prefix(head) + row + [UInt8(ascii: "\n")])
            let again = MappingTrial(definition, on: small).item
            let isSame = again.map { JSONValue($0.record).text == JSONValue(item.record).text } ?? false
            if isSame, small.bytes.count <= limit { return small }
        }
        guard whole.bytes.count + (whole.detail?.count ?? 0) <= limit else {
            throw MappingError(.exampleSize, ["limit": String(limit >> 10)])
        }
        return whole
    }

    /// The first name of the pattern that no example has: `factures-csv_cas-3.csv`.
    private static func freeName(
        _ pattern: String, in place: URL, besides known: [URL]
    ) throws -> String {
        let taken = Set(known.map(\.lastPathComponent))
        let last = pattern.split(separator: "/").last.map(String.init) ?? pattern
        for number in 1...9999 {
            let name = last.replacing("*", with: "cas-\(number)")
            let file = place.appending(path: name)
            let golden = file.deletingPathExtension().appendingPathExtension("json")
            let isFree = [file, golden].allSatisfy { !FileManager.default.fileExists(atPath: $0.path) }
            if isFree, !taken.contains(name) { return name }
        }
        throw MappingError(.examplePattern, ["name": pattern])
    }

    private static func write(_ bytes: [UInt8], to file: URL) throws {
        let folder = file.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(.unwritable, at: Place(file: folder.path))
        }
        var target = try DurableFile(in: folder.path)
        try target.write(bytes)
        try target.finish(as: file.lastPathComponent)
    }
}
