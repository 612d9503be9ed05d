// SPDX-License-Identifier: Apache-2.0
// Which database a command works on, and how it is opened.

internal import ArgumentParser
internal import BlobStore
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import Mapping
internal import PostgreSQL
internal import Words

/// Where the data is.
struct DatabaseOptions: ParsableArguments {
    @Option(name: .customLong("data"), help: ArgumentHelp(words("option.data"), valueName: "DIR"))
    var dataFolder: String?

    /// The data folder as an absolute path.
    var folder: URL {
        URL(filePath: dataFolder ?? Surroundings.dataFolder, directoryHint: .isDirectory).absoluteURL
    }

    /// How this node works: `relais.yaml` of the data folder, the environment, and the options of the command.
    func configuration(_ options: [Configuration.Key: String] = [:]) throws -> Configuration {
        let own = folder.appending(path: "relais.yaml").path
        let file =
            Surroundings.configurationFile ?? (FileManager.default.fileExists(atPath: own) ? own : nil)
        return try Configuration(file: file, environment: Surroundings.environment, options: options)
    }

    /// A PostgreSQL of one's own; `--data` asks for the private one, unless that folder's file says otherwise.
    private func databaseURL() throws -> String? {
        let configuration = try configuration()
        let isOfEnvironment = configuration.sources[.databaseURL]?.place.file == nil
        return dataFolder != nil && isOfEnvironment ? nil : configuration.databaseURL
    }

    /// The private cluster; nil with a PostgreSQL of one's own.
    func cluster() throws -> PrivateCluster? {
        try databaseURL() == nil ? try PrivateCluster(folder: folder) : nil
    }

    /// The connection string, after the private cluster has been started where it is used.
    func connectionString() async throws -> String {
        guard let cluster = try cluster() else { return try databaseURL() ?? "" }
        if await !cluster.answers() { Console.progress(words("database.starting")) }
        try await cluster.start()
        Console.progress("")
        return cluster.connectionString()
    }

    /// How imports work on this database.
    var importSettings: ImportSettings {
        get throws { ImportSettings(companySIREN: try configuration().companySIREN, blobs: blobs) }
    }

    /// The mappings shipped, and those of `mappings` in the data folder.
    var mappings: MappingShelf { mappings { _ in } }

    /// The same, for a process that goes on with those of before when a file cannot be used.
    func mappings(onFaults: @escaping @Sendable ([Diagnostic]) -> Void) -> MappingShelf {
        MappingShelf(own: folder.appending(path: "mappings"), onFaults: onFaults)
    }

    /// Where files are kept: large ones beside the database.
    var blobs: BlobStore { BlobStore(folder: folder.appending(path: "blobs").path) }

    /// Passwords and keys of other machines; the key that opens them is in a file beside the data, or where the
    /// configuration or systemd says.
    var secrets: Secrets {
        get throws {
            let named = try configuration().secretKeyFile ?? Surroundings.secretKeyCredential
            return Secrets(
                keyFile: named ?? folder.appending(path: "secret.key").path, mayMakeKey: named == nil)
        }
    }

    /// Runs `body` on a pool of the database, whose schema is brought up to date first.
    func withDatabase<Value>(_ body: (Pool) async throws -> Value) async throws -> Value {
        let pool = Pool(try await connectionString())
        do {
            try await pool.withConnection { connection in
                _ = try await Migrator(try Schema.migrations()).migrate(connection)
            }
            let value = try await body(pool)
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }
}

extension DatabaseOptions {
    /// Runs `body` on one connection of the database.
    func withConnection<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        try await withDatabase { pool in try await pool.withConnection(body) }
    }
}

/// The form of a command's output.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: ArgumentHelp(words("option.json")))
    var asJSON = false
}

extension MappingShelf {
    /// The mappings that commands without a database see: those shipped, and those of the usual data folder.
    static var ofSurroundings: MappingShelf {
        MappingShelf(own: URL(filePath: Surroundings.dataFolder).appending(path: "mappings"))
    }
}

/// The mappings shipped with the program and one's own, and how one is chosen.
struct MappingOptions: ParsableArguments {
    @Option(name: .customLong("mapping"), help: ArgumentHelp(words("option.mapping"), valueName: "NAME"))
    var name: String?

    /// What finds the mapping of each file: the named one, or by what the file holds.
    func chooser(_ shelf: MappingShelf = .ofSurroundings) throws -> MappingChooser {
        let library = try shelf.library()
        return MappingChooser(
            library, named: try name.map { try MappingOptions.find($0, in: library).definition })
    }

    /// A mapping of the other direction, by its name or by the path of a file of one's own.
    static func findExport(
        _ name: String, in library: MappingLibrary
    ) throws -> (definition: ExportDefinition, file: URL?) {
        guard name.hasSuffix(".yaml") || name.contains("/") else {
            return (try library.export(name), library.files[name])
        }
        let file = try LocalFile(name, limit: 1 << 20)
        let text = String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self)
        return (try ExportDefinition.parse(text, file: name), URL(filePath: name))
    }

    /// Whether a name, or a file of one's own, is a mapping of the other direction.
    static func isExport(_ name: String, in library: MappingLibrary) throws -> Bool {
        guard name.hasSuffix(".yaml") || name.contains("/") else { return library.exports[name] != nil }
        let file = try LocalFile(name, limit: 1 << 20)
        return ExportDefinition.isMeant(by: String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self))
    }

    /// A mapping by its name, or a mapping file of one's own by its path.
    static func find(
        _ name: String, in library: MappingLibrary
    ) throws -> (definition: MappingDefinition, file: URL?) {
        guard name.hasSuffix(".yaml") || name.contains("/") else {
            return (try library.mapping(name), library.files[name])
        }
        let file = try LocalFile(name, limit: 1 << 20)
        let text = String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self)
        return (try MappingDefinition.parse(text, file: name), URL(filePath: name))
    }
}
