// SPDX-License-Identifier: Apache-2.0
// The tests of a flow: files that must be read as told before a version becomes current.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
package import Mapping
internal import Unpacking

/// What a flow's tests found.
package enum FlowTesting {
    /// Reads the test files of a flow by its mapping, without a database.
    ///
    /// - Parameter folder: what the files' paths start from.
    /// - Throws: ``FlowFaults`` with `FLOW-TEST` for each file that was read otherwise, and what keeps a file from being
    ///   read.
    package static func check(
        _ flow: FlowDefinition, in folder: String, mappings: MappingLibrary
    ) async throws {
        let chooser = MappingChooser(
            mappings, named: try flow.mapping.map { name in try mappings.mapping(name) })
        var faults: [Diagnostic] = []
        for test in flow.tests {
            let path = test.file.hasPrefix("/") ? test.file : "\(folder)/\(test.file)"
            do {
                let (records, errors) = try await count(path, chooser)
                guard (records, errors) != (test.records, test.errors) else { continue }
                let facts = [
                    "records": String(records), "errors": String(errors),
                    "expected_records": String(test.records), "expected_errors": String(test.errors),
                ]
                faults.append(FlowError(.test, facts, at: Place(file: path)).diagnostic)
            } catch let error as any ReportableError {
                faults.append(error.inFile(path).diagnostic)
            }
        }
        guard faults.isEmpty else { throw FlowFaults(faults: faults) }
    }

    /// Records of a file and of what it holds, and those with an error.
    private static func count(_ path: String, _ chooser: MappingChooser) async throws -> (Int, Int) {
        var (records, errors) = (0, 0)
        var pairs = PairedFiles(chooser)
        try await Unpacker().withFiles(of: path) { parts in
            for part in parts where pairs.header(of: part, among: parts) == nil {
                let intake = try FileIntake(part, among: parts, &pairs, chooser)
                if let refusal = intake.refusal { throw FlowError(refusal) }
                guard let reading = intake.reading else { continue }
                let file = FileRecords(reading, intake.facts, fileName: intake.lastName)
                let census = try await FileCensus(file, .local(LocalPieces(intake))) { _ in }
                if let refusal = census.refusal { throw FlowError(refusal) }
                records += census.records
                errors += census.faulty
            }
        }
        return (records, errors)
    }
}
