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
    private var pairs: PairedFiles

    init(_ chooser: MappingChooser) {
        self.chooser = chooser
        pairs = PairedFiles(chooser)
    }

    /// One report a file; a file that cannot be opened is reported, and the rest goes on.
    mutating func read(
        _ connector: some Connector, _ onFile: (FileIntake) async throws -> FileReport
    ) async throws -> [FileReport] {
        var reports: [FileReport] = []
        var pairs = pairs
        try await connector.read("files", after: nil) { item in
            switch item {
            case .cursor: break
            case .problem(let diagnostic):
                reports.append(FileReport(name: diagnostic.place.file ?? "", refusal: diagnostic))
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
                                reports.append(FileReport(name: part.name, refusal: error.diagnostic))
                            }
                        }
                    }
                } catch let error as FileError {
                    reports.append(FileReport(name: name, refusal: error.inFile(name).diagnostic))
                } catch let error as UnpackingError {
                    reports.append(FileReport(name: name, refusal: error.inFile(name).diagnostic))
                }
            }
        }
        self.pairs = pairs
        reports += pairs.findings().map { FileReport(name: $0.place.file ?? "", refusal: $0) }
        return reports
    }
}
