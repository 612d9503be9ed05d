// SPDX-License-Identifier: Apache-2.0
// The keys that open secrets, in a file outside the database.

internal import Bytes
internal import Crypto
internal import Diagnostics
internal import FileTransfer
internal import Foundation

/// Keys of AES-256, the newest first; the first one closes, all of them open.
package struct SecretKeys: Sendable {
    private let keys: [SymmetricKey]

    /// How many there are.
    var count: Int { keys.count }

    /// Reads the keys of a file: one a line, 32 bytes in base64.
    ///
    /// - Parameter makesMissing: writes a file with a new key, which only its owner can read, where there is none.
    /// - Throws: `SECRET-KEY-MISSING`, `SECRET-KEY` for a file that holds no keys or that others can read.
    package init(file path: String, makesMissing: Bool = false) throws {
        if makesMissing, !FileManager.default.fileExists(atPath: path) {
            try Self.write([SymmetricKey(size: .bits256)], to: path)
        }
        let text: String
        do throws(FileError) {
            let file = try LocalFile(path, limit: 1 << 16)
            text = String(decoding: try file.read(upTo: 1 << 16), as: UTF8.self)
        } catch {
            let code: SecretError.Code = error.has(.missing) ? .keyMissing : .key
            throw SecretError(code, error.diagnostic.facts, at: Place(file: path))
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
        let keys = text.split(whereSeparator: \.isNewline).compactMap { Data(base64Encoded: String($0)) }
        guard mode & 0o077 == 0, !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else {
            throw SecretError(.key, ["mode": String(mode, radix: 8)], at: Place(file: path))
        }
        self.keys = keys.map { SymmetricKey(data: $0) }
    }

    /// These keys behind a new one, in their file.
    ///
    /// - Throws: `FILE-UNWRITABLE` for a file that is not ours to write, such as a credential of systemd.
    func adding(to path: String) throws -> SecretKeys {
        try Self.write([SymmetricKey(size: .bits256)] + keys, to: path)
        return try SecretKeys(file: path)
    }

    /// The newest key alone, in their file.
    func keepingNewest(in path: String) throws {
        try Self.write(Array(keys.prefix(1)), to: path)
    }

    private static func write(_ keys: [SymmetricKey], to path: String) throws(FileError) {
        let url = URL(filePath: path)
        let lines = keys.map { key in unsafe key.withUnsafeBytes { unsafe Data($0).base64EncodedString() } }
        var file = try DurableFile(in: url.deletingLastPathComponent().path)
        try file.write(Array((lines.joined(separator: "\n") + "\n").utf8))
        try file.finish(as: url.lastPathComponent)
    }

    // MARK: - Boxes

    /// Which key closes.
    var id: String { keys.first.map(Self.id) ?? "" }

    private static func id(_ key: SymmetricKey) -> String {
        let digest = unsafe key.withUnsafeBytes { unsafe SHA256.hash(data: $0) }
        return digest.prefix(4).hexadecimal
    }

    /// Closes a value, bound to its name: in another's place it cannot be opened.
    func close(_ value: String, name: String) throws -> [UInt8] {
        guard let key = keys.first else { throw SecretError(.key) }
        let box = try AES.GCM.seal(Data(value.utf8), using: key, authenticating: Data(name.utf8))
        return Array(box.combined ?? Data())
    }

    /// Opens a box.
    ///
    /// - Throws: `SECRET-LOCKED` when none of the keys opens it, `SECRET-DAMAGED` when its own does not.
    func open(_ box: [UInt8], name: String, key id: String) throws -> String {
        guard let key = keys.first(where: { Self.id($0) == id }) else {
            throw SecretError(.locked, ["name": name, "key": id])
        }
        guard let sealed = try? AES.GCM.SealedBox(combined: Data(box)),
            let value = try? AES.GCM.open(sealed, using: key, authenticating: Data(name.utf8))
        else { throw SecretError(.damaged, ["name": name]) }
        return String(decoding: value, as: UTF8.self)
    }
}
