// SPDX-License-Identifier: Apache-2.0
// What a node needs to run, checked one by one: for `relais doctor` and for the page of settings.

package import BlobStore
internal import CRM
package import Diagnostics
internal import Foundation
package import Mapping
package import PostgreSQL

/// One thing that a node needs, and whether it has it.
package struct NodeCheck: Sendable {
    /// What is checked.
    package enum Subject: String, Sendable, CaseIterable {
        case postgresql, mappings, disk, database, blobs, key
    }

    /// What was found where all is well.
    package enum Detail: Sendable, Hashable {
        /// A newest version and the folder of its programs.
        case installed(major: Int, folder: String)
        /// Names.
        case names([String])
        /// Bytes that are free for a folder.
        case free(bytes: Int, folder: String)
        /// The private database rests.
        case stopped
        /// Migrations of the schema.
        case schema(count: Int, last: String)
        /// A round trip in microseconds, and PostgreSQL's version.
        case answered(microseconds: Int, version: String)
        /// Bytes that were written, read and deleted.
        case bytes(Int)
        /// Keys in a file; none before the first secret.
        case keys(Int)
    }

    /// What was checked.
    package let subject: Subject
    /// What was found; nil where something is wrong.
    package let detail: Detail?
    /// What is wrong.
    package let fault: Diagnostic?

    /// Under so many bytes a disk is as good as full.
    private static let leastFree = 1_000_000_000

    /// Does one check, whatever it throws.
    package init(_ subject: Subject, _ body: () async throws -> Detail) async {
        self.subject = subject
        do {
            detail = try await body()
            fault = nil
        } catch {
            detail = nil
            fault =
                switch error {
                case let error as any ReportableError: error.diagnostic
                case let error as Diagnostic: error
                case let faults as MappingFaults: faults.faults.first
                default: Diagnostic(code: "UNEXPECTED", facts: ["detail": "\(error)"])
                }
        }
    }

    /// The programs of PostgreSQL.
    package static func installation() async -> NodeCheck {
        await NodeCheck(.postgresql) {
            guard let newest = Installation.all().first else {
                throw PostgreSQLError(.notInstalled, ["detail": "postgresql"])
            }
            return .installed(major: newest.major, folder: newest.programs.path)
        }
    }

    /// The mappings shipped and one's own.
    package static func mappings(_ shelf: MappingShelf) async -> NodeCheck {
        await NodeCheck(.mappings) { .names(try shelf.library().mappings.keys.sorted()) }
    }

    /// Free space where the data folder is or will be.
    package static func disk(_ path: String) async -> NodeCheck {
        await NodeCheck(.disk) {
            var folder = URL(filePath: path, directoryHint: .isDirectory)
            while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
                folder.deleteLastPathComponent()
            }
            let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder.path)
            let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
            guard free > leastFree else {
                throw Diagnostic(code: "DISK-LOW", facts: ["folder": folder.path, "bytes": String(free)])
            }
            return .free(bytes: free, folder: folder.path)
        }
    }

    /// The schema of a database.
    package static func schema(_ connection: Connection) async throws -> Detail {
        let status = try await Migrator(try Schema.migrations()).status(connection)
        return .schema(count: status.applied.count, last: status.applied.last ?? "")
    }

    /// A round trip to the database.
    package static func database(_ pool: Pool) async -> NodeCheck {
        await NodeCheck(.database) {
            try await pool.withConnection { connection in
                let start = ContinuousClock.now
                let version = try await connection.run(ServerVersion()).first ?? ""
                let took = (start.duration(to: .now) / .microseconds(1)).rounded()
                return .answered(microseconds: Int(took), version: version)
            }
        }
    }

    /// The store of files.
    package static func blobs(_ blobs: BlobStore, _ pool: Pool) async -> NodeCheck {
        await NodeCheck(.blobs) { .bytes(try await pool.withConnection { try await blobs.probe(on: $0) }) }
    }

    /// The key that opens secrets.
    package static func key(_ secrets: Secrets) async -> NodeCheck {
        await NodeCheck(.key) { .keys(try secrets.countKeys()) }
    }
}

struct ServerVersion: Statement {
    static let sql = "select current_setting('server_version')"
    typealias Row = String
}
