// SPDX-License-Identifier: Apache-2.0
// Reads one file with the mapping that fits it; what `map`, `mapping test` and the editor share.

package import Diagnostics
package import FileTransfer
package import Mapping
internal import Model
package import Unpacking

/// A file and the mapping chosen for it.
package struct MappedFile {
    /// Its name as it is shown.
    package let path: String
    private let part: UnpackedFile
    /// The mapping, and why it was taken.
    package let choice: MappingChoice
    private let facts: FileFacts
    /// The second file, for mappings that read two.
    package let detail: UnpackedFile?

    /// Nothing is kept of a file that is only looked at, so that any size will do.
    private static let sizeLimit = Int.max

    /// What was read.
    package struct Counts: Sendable {
        /// Records.
        package var read = 0
        /// Of these, those with an error.
        package var faulty = 0

        /// Nothing yet.
        package init() {}
    }

    /// Looks at a file and chooses its mapping.
    ///
    /// - Parameters:
    ///   - siblings: the files of one archive, or the file alone.
    ///   - pairs: finds the second file of a mapping that reads two.
    package init(
        _ part: UnpackedFile, among siblings: [UnpackedFile], _ pairs: inout PairedFiles,
        _ chooser: MappingChooser
    ) throws {
        path = part.name
        self.part = part
        let file = try LocalFile(part.path, limit: Self.sizeLimit)
        facts = try FileFacts(file)
        choice = try chooser.choose(try Self.head(of: file, facts, name: part.name))
        detail = try pairs.detail(of: part, among: siblings, choice.definition)
    }

    /// A file that holds no others.
    package init(_ path: String, _ chooser: MappingChooser) throws {
        let file = UnpackedFile(name: path, path: path)
        var pairs = PairedFiles(chooser)
        try self.init(file, among: [file], &pairs, chooser)
    }

    /// The head of an open file.
    package static func head(
        of file: borrowing LocalFile, _ facts: FileFacts, name: String
    ) throws -> FileHead {
        file.rewind()
        return FileHead(
            name: String(name.split(separator: "/").last ?? ""),
            bytes: try file.read(upTo: FileHead.size), probe: facts.probe)
    }

    /// Hands every record over.
    package func read(_ body: (inout MappedItem) -> Void) throws -> (reader: MappingReader, counts: Counts) {
        let second = try detail.map { try FileFacts(try LocalFile($0.path, limit: Self.sizeLimit)).probe }
        var reader = try MappingReader(
            choice.definition, probe: facts.probe, fileName: part.lastName, detail: second)
        let file = try LocalFile(part.path, limit: Self.sizeLimit)
        var counts = Counts()
        func note(_ item: inout MappedItem) {
            counts.read += 1
            body(&item)
            if !item.isApplicable { counts.faulty += 1 }
        }
        var bytes: [UInt8] = []
        while true {
            try file.read(into: &bytes)
            if bytes.isEmpty { break }
            try reader.feed(bytes, note)
        }
        if let detail { try readDetail(detail, &reader) }
        try reader.finish(note)
        return (reader, counts)
    }

    private func readDetail(_ detail: UnpackedFile, _ reader: inout MappingReader) throws {
        try reader.finishFirst()
        let file = try LocalFile(detail.path, limit: Self.sizeLimit)
        var bytes: [UInt8] = []
        repeat {
            try file.read(into: &bytes)
            try reader.feedDetail(bytes, isLast: bytes.isEmpty)
        } while !bytes.isEmpty
    }

    /// A record as JSON; `finding` says a finding, in some language or none.
    package func json(_ item: MappedItem, _ finding: (Diagnostic) -> JSONValue) -> JSONValue {
        [
            "applicable": .boolean(item.isApplicable), "entity": .text(item.record.schema.name),
            "fields": JSONValue(item.record), "file": .text(path),
            "findings": .list(item.findings.map(finding)),
            "line": JSONValue(item.record.origin.line),
            "mapping": .text(choice.definition.identifier), "ordinal": .number(item.record.origin.ordinal),
        ]
    }

    /// What is to be said about the file as a whole.
    ///
    /// - Parameter reason: why the mapping was taken, in words.
    package func json(
        _ reader: MappingReader, _ counts: Counts, reason: String?, _ finding: (Diagnostic) -> JSONValue
    ) -> JSONValue {
        [
            "entity": .text("file"), "faulty": .number(counts.faulty), "file": .text(path),
            "findings": .list(fileFindings(reader).map(finding)),
            "mapping": .text(choice.definition.identifier), "read": .number(reader.recordCount),
            "reason": JSONValue(reason), "records": .number(counts.read),
            "skipped": .number(reader.recordCount - counts.read),
            "totals": .object(reader.totals.mapValues { JSONValue($0) }),
        ]
    }

    /// What is wrong with the file as a whole.
    package func fileFindings(_ reader: MappingReader) -> [Diagnostic] {
        reader.fileFindings.map { finding in
            var finding = finding
            finding.place.file = path
            return finding
        }
    }
}
