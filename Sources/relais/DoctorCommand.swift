// SPDX-License-Identifier: Apache-2.0
// `relais doctor`: checks what Relais needs to run, and says what to do about what is missing.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Mapping
internal import PostgreSQL
internal import Words

/// Checks the installation.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: words("command.doctor"),
        discussion: words("command.doctor.discussion"))

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    private struct Check {
        let name: String
        let detail: String
        let fault: Diagnostic?
    }

    func run() async throws {
        let checks = [
            check("postgresql") {
                guard let newest = Installation.all().first else {
                    throw PostgreSQLError(.notInstalled, ["detail": "postgresql"])
                }
                return "\(newest.major) (\(newest.programs.path))"
            },
            check("mappings") {
                try database.mappings.library().mappings.keys.sorted().joined(separator: ", ")
            },
            check("disk") { try freeSpace() },
            await databaseCheck(),
        ]
        output.asJSON ? checks.forEach(showJSON) : checks.forEach(show)
        if checks.contains(where: { $0.fault != nil }) { throw ExitStatus.failed }
    }

    private func check(_ name: String, _ body: () throws -> String) -> Check {
        do {
            return Check(name: name, detail: try body(), fault: nil)
        } catch {
            return Check(name: name, detail: "", fault: fault(error))
        }
    }

    /// Opens the database, without starting a private cluster that is down: a check changes nothing.
    private func databaseCheck() async -> Check {
        do {
            if let cluster = try database.cluster(), try cluster.runningServer() == nil {
                _ = try cluster.installation()
                return Check(name: "database", detail: words("db.stopped"), fault: nil)
            }
            let connection = try await Connection.open(try await database.connectionString())
            let status = try await Migrator(try Schema.migrations()).status(connection)
            await connection.close()
            return Check(
                name: "database",
                detail: words("db.applied", count: status.applied.count, ["last": status.applied.last ?? ""]),
                fault: nil)
        } catch {
            return Check(name: "database", detail: "", fault: fault(error))
        }
    }

    private func fault(_ error: any Error) -> Diagnostic {
        switch error {
        case let error as any ReportableError: error.diagnostic
        case let faults as MappingFaults: faults.faults[0]
        default: Diagnostic(code: "UNEXPECTED", facts: ["detail": "\(error)"])
        }
    }

    /// Free space where the data folder is or will be; under 1 GB is a fault.
    private func freeSpace() throws -> String {
        var folder = database.folder
        while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
            folder.deleteLastPathComponent()
        }
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder.path)
        let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        guard free > 1_000_000_000 else {
            throw Diagnostic(code: "DISK-LOW", facts: ["folder": folder.path, "free": words.size(free)])
        }
        return "\(words.size(free)) (\(folder.path))"
    }

    private func show(_ check: Check) {
        let label = words("doctor.\(check.name)")
        if let fault = check.fault {
            Console.print("✗ \(label)\n\(Console.text(of: fault, indent: "    "))")
        } else {
            Console.print("✓ \(label): \(check.detail)")
        }
    }

    private func showJSON(_ check: Check) {
        Console.printJSON([
            "check": .text(check.name), "detail": .text(check.detail),
            "error": check.fault.map { JSONValue($0) } ?? .null, "ok": .boolean(check.fault == nil),
        ])
    }
}
