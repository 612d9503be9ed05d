// SPDX-License-Identifier: Apache-2.0
// Passwords and keys of other machines: kept closed, opened only for the connector that needs them.

package import ConnectorKit
internal import Diagnostics
internal import Mapping
package import Model
package import PostgreSQL
internal import YAML

/// A secret in a list: everything but its value.
package struct SecretSummary: Sendable {
    /// Its name.
    package let name: String
    /// When it was set.
    package let setAt: Timestamp
    /// By whom.
    package let setBy: String?
    /// Flows whose current version names it.
    package let flows: [String]
}

/// Keeps secrets. What is set can be replaced and used, and never be read back.
package struct Secrets: Sendable {
    private let keyFile: String
    private let mayMakeKey: Bool

    /// The secrets whose keys are in a file.
    ///
    /// - Parameter mayMakeKey: whether a missing file is made when the first secret is set.
    package init(keyFile: String, mayMakeKey: Bool) {
        self.keyFile = keyFile
        self.mayMakeKey = mayMakeKey
    }

    /// How many keys the file holds; 0 where the first secret is going to make it.
    ///
    /// - Throws: `SECRET-KEY…`.
    func countKeys() throws -> Int {
        do {
            return try SecretKeys(file: keyFile).count
        } catch let error as SecretError where error.has(.keyMissing) && mayMakeKey {
            return 0
        }
    }

    /// The most that a secret may have, in bytes.
    package static let limit = 64 << 10

    /// Whether a text can be the name of a secret.
    static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: #/[a-z0-9][a-z0-9-]{0,62}/#) != nil
    }

    /// Keeps a value under a name, in the place of another.
    ///
    /// - Throws: `SECRET-NAME`, `SECRET-EMPTY`, `SECRET-KEY…`.
    package func set(
        _ name: String, to value: String, by person: String?, on connection: Connection
    ) async throws {
        guard Self.isName(name) else {
            throw SecretError(.name, at: Place(value: name))
        }
        guard !value.isEmpty else { throw SecretError(.empty, ["name": name]) }
        try await connection.transaction { connection in
            try await Self.lock(on: connection)
            let keys = try SecretKeys(file: keyFile, makesMissing: mayMakeKey)
            try await connection.execute(
                KeepSecret(name: name, box: try keys.close(value, name: name), key: keys.id, person: person))
        }
    }

    /// All secrets by name.
    package func list(on connection: Connection) async throws -> [SecretSummary] {
        try await connection.run(ListSecrets())
    }

    /// Forgets a secret.
    ///
    /// - Throws: `SECRET-UNKNOWN`; `SECRET-IN-USE` while a flow names it.
    package func delete(_ name: String, on connection: Connection) async throws {
        let known = try await list(on: connection)
        guard let secret = known.first(where: { $0.name == name }) else { throw Self.unknown(name, known) }
        guard secret.flows.isEmpty else {
            throw SecretError(.inUse, ["name": name, "flows": secret.flows.joined(separator: ", ")])
        }
        try await connection.execute(DeleteSecret(name: name))
    }

    /// Fails for the first of some secrets that is not there.
    ///
    /// - Throws: `SECRET-UNKNOWN`.
    package static func require(_ secrets: some Sequence<Secret>, on connection: Connection) async throws {
        let known = try await connection.run(ListSecrets())
        for secret in secrets where !known.contains(where: { $0.name == secret.name }) {
            throw unknown(secret.name, known)
        }
    }

    private static func unknown(_ name: String, _ known: [SecretSummary]) -> SecretError {
        let names = known.map(\.name)
        return SecretError(
            .unknown,
            [
                "name": name, "known": names.joined(separator: ", "),
                "suggestion": Suggestion.nearest(to: name, in: names) ?? "",
            ])
    }

    /// The value of one secret, for what this node does itself.
    ///
    /// - Throws: `SECRET-UNKNOWN`, `SECRET-LOCKED`, `SECRET-DAMAGED`, `SECRET-KEY…`.
    package func value(of name: String, on connection: Connection) async throws -> String {
        guard let box = try await connection.run(FindSecret(name: name)).first else {
            throw Self.unknown(name, try await list(on: connection))
        }
        return try SecretKeys(file: keyFile).open(box.bytes, name: name, key: box.key)
    }

    /// The settings with the values of their secrets.
    ///
    /// - Throws: `SECRET-UNKNOWN`, `SECRET-LOCKED`, `SECRET-DAMAGED`, `SECRET-KEY…`.
    func open(_ settings: Settings, on connection: Connection) async throws -> Settings {
        guard !settings.secrets.isEmpty else { return settings }
        try await Self.require(settings.secrets.values, on: connection)
        let keys = try SecretKeys(file: keyFile)
        var settings = settings
        for (setting, secret) in settings.secrets {
            guard let box = try await connection.run(FindSecret(name: secret.name)).first else { continue }
            let value = try keys.open(box.bytes, name: secret.name, key: box.key)
            settings.secrets[setting] = Secret(name: secret.name, value: value)
        }
        return settings
    }

    /// Nobody else sets a secret or changes the key meanwhile: what one closes, the other's keys must open.
    private static func lock(on connection: Connection) async throws {
        try await connection.script("lock table secret in share row exclusive mode")
    }

    /// Closes all secrets with a new key. The file holds the old key too until the database has them all, so that a
    /// crash at any moment locks none.
    ///
    /// - Returns: how many secrets there were.
    /// - Throws: `SECRET-LOCKED`, `SECRET-DAMAGED`, `SECRET-KEY…`, `FILE-UNWRITABLE`.
    package func rotateKey(on connection: Connection) async throws -> Int {
        let (keys, count) = try await connection.transaction { connection in
            try await Self.lock(on: connection)
            let keys = try SecretKeys(file: keyFile).adding(to: keyFile)
            let boxes = try await connection.run(AllSecrets())
            for box in boxes {
                let value = try keys.open(box.bytes, name: box.name, key: box.key)
                try await connection.execute(
                    CloseSecret(name: box.name, box: try keys.close(value, name: box.name), key: keys.id))
            }
            return (keys, boxes.count)
        }
        try keys.keepingNewest(in: keyFile)
        return count
    }
}
