// SPDX-License-Identifier: Apache-2.0
// The certificate by which the server is known, read again when it is renewed.

internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// A certificate with its key, as the files say it now.
package final class Certificate: Sendable {
    /// Where it is.
    package struct Files: Sendable, Hashable {
        /// PEM: the server's certificate, then those that lead to an authority.
        package let chain: String
        /// PEM: its private key, which nobody else can read.
        package let key: String

        /// Two files, or links to them.
        package init(chain: String, key: String) {
            (self.chain, self.key) = (chain, key)
        }
    }

    /// What was read, and of which files.
    private struct Reading: Sendable {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        let marks: [String]
        /// Seconds since 1970.
        let ends: Int
    }

    /// How often the files are looked at.
    private static let pause = Duration.seconds(5)
    /// A file of this kind is larger by mistake.
    private static let limit = 1 << 20

    private let files: Files
    private let current: Mutex<Reading>

    /// The certificate of two files.
    ///
    /// - Throws: `FILE-…`, `TLS-CERTIFICATE`, `TLS-KEY`, `TLS-KEY-OPEN` where others can read the key, `TLS-PAIR` where
    ///   the key is another certificate's.
    package init(_ files: Files) throws {
        self.files = files
        current = Mutex(try Self.read(files))
    }

    /// When it ends, in seconds since 1970.
    private var ends: Int { current.withLock(\.ends) }

    /// When it ends, for monitoring.
    var measures: [Measure] {
        [
            Measure(
                .gauge, "relais_certificate_end_timestamp_seconds", "When the server's certificate ends.",
                [.init(Double(ends))])
        ]
    }

    /// What listens with it: TLS 1.2 and later, each time with the certificate of the moment.
    var configuration: TLSConfiguration {
        var configuration = Self.configuration(current.withLock(\.self))
        configuration.sslContextCallback = { [self] _, promise in
            let reading = current.withLock(\.self)
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = reading.chain.map { .certificate($0) }
            override.privateKey = .privateKey(reading.key)
            promise.succeed(override)
        }
        return configuration
    }

    /// Reads the files again whenever they have changed, until it is cancelled; what cannot be used is said once, and
    /// the certificate of before stays in use.
    ///
    /// - Parameter now: seconds since 1970.
    func follow(_ logger: Logger, now: @Sendable () -> Int) async {
        warn(logger, now: now())
        var refused: [String]?
        while (try? await Task.sleep(for: Self.pause)) != nil {
            let marks = Self.marks(files)
            guard marks != current.withLock(\.marks), marks != refused else { continue }
            do {
                let reading = try Self.read(files)
                current.withLock { $0 = reading }
                logger.info("certificate read again")
                warn(logger, now: now())
            } catch {
                refused = marks
                let code = (error as? any ReportableError)?.diagnostic.code ?? "UNEXPECTED"
                logger.error(
                    "the new certificate cannot be used, that of before stays",
                    metadata: ["code": .string(code)])
            }
        }
    }

    private func warn(_ logger: Logger, now: Int) {
        let days = (ends - now) / 86_400
        if ends <= now {
            logger.warning("the certificate has ended: browsers refuse it")
        } else if days < 14 {
            logger.warning("the certificate ends soon", metadata: ["days": .stringConvertible(days)])
        }
    }

    // MARK: - Files

    private static func read(_ files: Files) throws -> Reading {
        // Taken first: what changes meanwhile is read again.
        let marks = marks(files)
        let key = try privateKey(files.key)
        let bytes = try bytes(files.chain)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), let first = chain.first else {
            throw ServerError(.certificate, at: Place(file: files.chain))
        }
        let reading = Reading(chain: chain, key: key, marks: marks, ends: Int(first.notValidAfter))
        guard (try? NIOSSLContext(configuration: configuration(reading))) != nil else {
            throw ServerError(.certificatePair, ["certificate": files.chain], at: Place(file: files.key))
        }
        return reading
    }

    private static func privateKey(_ path: String) throws -> NIOSSLPrivateKey {
        let bytes = try bytes(path)
        let place = Place(file: path)
        let mode = try FileManager.default.attributesOfItem(atPath: resolved(path))[.posixPermissions] as? Int
        guard let mode, mode & 0o077 == 0 else {
            throw ServerError(.keyOpen, ["mode": String(mode ?? 0, radix: 8)], at: place)
        }
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw ServerError(.key, at: place)
        }
        return key
    }

    /// Who renews certificates keeps links to the files of the moment.
    private static func resolved(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path
    }

    private static func bytes(_ path: String) throws(FileError) -> [UInt8] {
        do throws(FileError) {
            return try LocalFile(resolved(path), limit: limit).read(upTo: limit)
        } catch {
            // As it was named, wherever a link leads.
            var diagnostic = error.diagnostic
            diagnostic.place = Place(file: path)
            throw FileError(diagnostic)
        }
    }

    private static func configuration(_ reading: Reading) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: reading.chain.map { .certificate($0) }, privateKey: .privateKey(reading.key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// What differs when a file is another one, or was written again.
    private static func marks(_ files: Files) -> [String] {
        [files.chain, files.key].map { path in
            let path = resolved(path)
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            let changed = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(path) \(changed) \(facts?[.systemFileNumber] ?? "") \(facts?[.size] ?? "")"
        }
    }
}
