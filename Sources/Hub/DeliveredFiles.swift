// SPDX-License-Identifier: Apache-2.0
// The files that a connector delivers, unpacked, with those that belong together found.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
internal import Mapping
internal import PostgreSQL
internal import Unpacking

/// Hands over the files of a connector one by one.
struct DeliveredFiles {
    private let chooser: MappingChooser
    private let cursor: Cursor?
    private let redaction: Redaction
    private var pairs: PairedFiles

    /// - Parameters:
    ///   - cursor: what has been read already.
    ///   - redaction: what the connector must not say.
    init(_ chooser: MappingChooser, after cursor: Cursor? = nil, _ redaction: Redaction = Redaction()) {
        self.chooser = chooser
        self.redaction = redaction
        self.cursor = cursor
        pairs = PairedFiles(chooser)
    }

    /// One report a file; a file that cannot be opened is reported, and the rest goes on.
    ///
    /// - Parameters:
    ///   - onCursor: keeps a cursor, once all before it is committed.
    ///   - onProblem: keeps why something could not even be opened.
    mutating func read(
        _ connector: some Connector, onCursor: (Cursor) async throws -> Void = { _ in },
        onProblem: (Diagnostic) async throws -> Void = { _ in },
        _ onFile: (FileIntake) async throws -> FileReport
    ) async throws -> [FileReport] {
        var reports: [FileReport] = []
        var pairs = pairs
        func refuse(_ name: String, _ reason: Diagnostic) async throws {
            reports.append(FileReport(name: name, refusal: reason))
            try await onProblem(reason)
        }
        try await redacted(connector) { item in
            let before = reports.count
            switch item {
            case .cursor(let cursor): try await onCursor(cursor)
            case .problem(let diagnostic):
                try await refuse(diagnostic.place.file ?? "", redaction.apply(diagnostic))
            case .artifact(let name, let path):
                do {
                    try await Unpacker().withFiles(of: path) { parts in
                        let named = parts.map { part in
                            let inner = part.path == path ? name : name + part.name.dropFirst(path.count)
                            return UnpackedFile(name: inner, path: part.path)
                        }
                        for part in named where pairs.header(of: part, among: named) == nil {
                            do {
                                let intake = try FileIntake(part, among: named, &pairs, chooser)
                                reports.append(try await onFile(intake))
                            } catch let error as FileError {
                                try await refuse(part.name, error.inFile(part.name).diagnostic)
                            }
                        }
                    }
                } catch let error as FileError {
                    try await refuse(name, error.inFile(name).diagnostic)
                } catch let error as UnpackingError {
                    try await refuse(name, error.inFile(name).diagnostic)
                }
            }
            return Self.delivery(reports[before...])
        }
        self.pairs = pairs
        reports += pairs.findings().map { FileReport(name: $0.place.file ?? "", refusal: $0) }
        return reports
    }

    /// Reads the connector; what it throws is without its secrets.
    private func redacted(
        _ connector: some Connector, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        do {
            try await connector.read("files", after: cursor, deliver)
        } catch let error as any ReportableError {
            throw redaction.apply(error)
        }
    }

    /// An archive is refused when nothing in it was applied.
    private static func delivery(_ reports: ArraySlice<FileReport>) -> Delivery {
        let reasons = reports.compactMap(\.refusal)
        guard let reason = reasons.first, reasons.count == reports.count else { return .accepted }
        return .refused(reason)
    }
}
