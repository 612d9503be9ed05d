// SPDX-License-Identifier: Apache-2.0
// One libcurl handle on a queue of its own; nothing else touches libcurl.

internal import Blocking
internal import CLibCurl
internal import Diagnostics
internal import Synchronization

/// Makes transfers one after the other, and keeps the connection between them.
///
/// Cancelling the task of a transfer ends it within a second.
package actor CurlSession {
    nonisolated private let executor = SerialQueueExecutor(label: "relais.transfer")
    /// Its own queue.
    nonisolated package var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    private let access: TransferAccess
    private let place: Place
    private var handle: CurlHandle?

    /// A session with the machine at `address`, which is how messages name it.
    package init(_ access: TransferAccess, address: String) {
        self.access = access
        place = Place(file: address)
    }

    /// Makes one transfer.
    ///
    /// - Throws: every `TRANSFER-…` but `TRANSFER-LISTING`.
    package func perform(_ request: CurlRequest) async throws(TransferError) -> CurlAnswer {
        let stop = StopFlag()
        let result: Result<CurlAnswer, TransferError> = await withTaskCancellationHandler {
            // A method of the actor: a closure without `self` would block the cooperative pool.
            self.performNow(request, stop)
        } onCancel: {
            stop.isSet.store(true, ordering: .relaxed)
        }
        return try result.get()
    }

    private func performNow(_ request: CurlRequest, _ stop: StopFlag) -> Result<CurlAnswer, TransferError> {
        Result { () throws(TransferError) in
            if handle == nil { handle = CurlHandle() }
            guard let handle else { throw TransferError(.unreachable, at: place) }
            return try handle.perform(request, access, place, stop)
        }
    }
}

/// Says from any thread that a transfer must end.
final class StopFlag: Sendable {
    let isSet = Atomic(false)
}

/// The handle itself.
@safe private final class CurlHandle {
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
    private let curl: UnsafeMutableRawPointer

    init?() {
        guard Self.isReady, let curl = unsafe curl_easy_init() else { return nil }
        unsafe self.curl = curl
    }

    deinit {
        unsafe curl_easy_cleanup(curl)
    }

    func perform(
        _ request: CurlRequest, _ access: TransferAccess, _ place: Place, _ stop: StopFlag
    ) throws(TransferError) -> CurlAnswer {
        let transfer = try CurlTransfer(request, access, place, stop)
        // Keeps connections, forgets everything else.
        unsafe curl_easy_reset(curl)
        var lists: [UnsafeMutablePointer<curl_slist>] = unsafe []
        defer { unsafe lists.forEach { unsafe curl_slist_free_all($0) } }
        describe(request)
        identify(access)
        for (option, items) in [
            (CURLOPT_HTTPHEADER, request.headers), (CURLOPT_QUOTE, request.commands),
            (CURLOPT_POSTQUOTE, request.commandsAfter), (CURLOPT_MAIL_RCPT, request.mail?.recipients ?? []),
        ] where !items.isEmpty {
            var list: UnsafeMutablePointer<curl_slist>?
            for item in items { unsafe list = curl_slist_append(list, item) }
            if let list = unsafe list {
                _ = unsafe relais_curl_set_list(curl, option, list)
                unsafe lists.append(list)
            }
        }
        let key = try access.privateKey.isEmpty ? nil : MemoryFile(access.privateKey)
        if let key {
            text(CURLOPT_SSH_PRIVATE_KEYFILE, key.path)
            // The public half is computed from it.
            text(CURLOPT_SSH_PUBLIC_KEYFILE, "")
        }
        attach(transfer)
        let code = withExtendedLifetime((transfer, key)) { unsafe curl_easy_perform(curl) }
        let (status, changed) = (status, changed)
        // Connections are closed later: nothing may call back into a transfer that is gone.
        unsafe curl_easy_reset(curl)
        return try transfer.finish(code, status: status, changed: changed)
    }

    // MARK: - Options

    private func text(_ option: CURLoption, _ value: String) {
        _ = unsafe relais_curl_set_text(curl, option, value)
    }

    private func number(_ option: CURLoption, _ value: Int) {
        _ = unsafe relais_curl_set_number(curl, option, value)
    }

    private func describe(_ request: CurlRequest) {
        text(CURLOPT_URL, request.url)
        text(CURLOPT_PROTOCOLS_STR, request.scheme)
        text(CURLOPT_REDIR_PROTOCOLS_STR, request.scheme)
        number(CURLOPT_FOLLOWLOCATION, request.upload == nil && request.method == nil ? 1 : 0)
        number(CURLOPT_MAXREDIRS, 5)
        number(CURLOPT_FILETIME, 1)
        number(CURLOPT_NOBODY, request.isBodyless ? 1 : 0)
        if let method = request.method { text(CURLOPT_CUSTOMREQUEST, method) }
        if let mail = request.mail { text(CURLOPT_MAIL_FROM, mail.sender) }
        if let deadline = request.deadline { number(CURLOPT_TIMEOUT_MS, deadline.milliseconds) }
        if request.needsTLS { number(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        // With TLS 1.3, a data connection that is closed before the server's tickets were read loses what it sent last, and
        // the server says that all is well (libcurl 7.88, ProFTPD 1.3.8).
        if request.scheme.hasPrefix("ftp") { number(CURLOPT_SSLVERSION, relais_curl_tls_1_2) }
        number(CURLOPT_FRESH_CONNECT, request.isAlone ? 1 : 0)
        number(CURLOPT_FORBID_REUSE, request.isAlone ? 1 : 0)
        // Whole paths, so that commands mean the same on a connection that is used again.
        number(CURLOPT_FTP_FILEMETHOD, Int(CURLFTPMETHOD_NOCWD.rawValue))
        if let body = request.body {
            _ = unsafe relais_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            _ = unsafe body.withUnsafeBytes { bytes in
                // Copied by libcurl.
                unsafe relais_curl_set_pointer(
                    curl, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
        }
    }

    private func identify(_ access: TransferAccess) {
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_CONNECTTIMEOUT_MS, access.connecting.milliseconds)
        // Commands of FTP and mail wait on a clock of their own.
        number(CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, access.silence.milliseconds / 1000))
        number(CURLOPT_TCP_KEEPALIVE, 1)
        if !access.user.isEmpty { text(CURLOPT_USERNAME, access.user) }
        if !access.password.isEmpty { text(CURLOPT_PASSWORD, access.password) }
        number(CURLOPT_HTTPAUTH, relais_curl_http_auth)
        number(
            CURLOPT_SSH_AUTH_TYPES,
            (access.privateKey.isEmpty ? 0 : relais_curl_ssh_key)
                | (access.password.isEmpty ? 0 : relais_curl_ssh_password))
        if !access.authorities.isEmpty { text(CURLOPT_CAINFO, access.authorities) }
    }

    private func attach(_ transfer: CurlTransfer) {
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        _ = unsafe relais_curl_set_data(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            unsafe CurlTransfer.of(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = unsafe relais_curl_set_data(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            unsafe CurlTransfer.of(context).header(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = unsafe relais_curl_set_progress(curl) { context, _, down, _, up in
            unsafe CurlTransfer.of(context).mayGoOn(after: Int(down) + Int(up)) ? 0 : 1
        }
        _ = unsafe relais_curl_set_host_key(curl) { context, _, key, length in
            let bytes = unsafe UnsafeRawBufferPointer(start: key, count: length)
            let isKnown = unsafe CurlTransfer.of(context).knows(hostKey: bytes)
            return Int32((isKnown ? CURLKHMATCH_OK : CURLKHMATCH_MISMATCH).rawValue)
        }
        for option in [
            CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_XFERINFODATA, CURLOPT_SSH_HOSTKEYDATA,
        ] {
            _ = unsafe relais_curl_set_pointer(curl, option, context)
        }
        number(CURLOPT_NOPROGRESS, 0)
        guard let size = transfer.uploadSize else { return }
        number(CURLOPT_UPLOAD, 1)
        _ = unsafe relais_curl_set_size(curl, CURLOPT_INFILESIZE_LARGE, curl_off_t(size))
        _ = unsafe relais_curl_set_data(curl, CURLOPT_READFUNCTION) { bytes, size, count, context in
            let room = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
            return unsafe CurlTransfer.of(context).send(into: room) ?? Int(relais_curl_abort)
        }
        _ = unsafe relais_curl_set_pointer(curl, CURLOPT_READDATA, context)
    }

    // MARK: - Answers

    private var status: Int {
        var value = 0
        _ = unsafe relais_curl_number(curl, CURLINFO_RESPONSE_CODE, &value)
        return value
    }

    private var changed: Int? {
        var value: curl_off_t = -1
        _ = unsafe relais_curl_size(curl, CURLINFO_FILETIME_T, &value)
        return value < 0 ? nil : Int(value)
    }
}

extension CurlTransfer {
    /// The transfer that a C callback was given; it lives as long as the call of libcurl.
    fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        guard let context = unsafe context else { preconditionFailure("a callback without its transfer") }
        return unsafe Unmanaged.fromOpaque(context).takeUnretainedValue()
    }

    /// - Throws: what libcurl's code means.
    fileprivate func finish(
        _ code: CURLcode, status: Int, changed: Int?
    ) throws(TransferError) -> CurlAnswer {
        answer.status = status
        answer.changed = changed
        if let failure { throw failure }
        // Before any status, the machine speaks something else; after one, it leads to another scheme.
        if code == CURLE_UNSUPPORTED_PROTOCOL, status == 0 { throw failure(.answer, code) }
        // What a mail server refuses for good.
        if code != CURLE_OK, request.mail != nil, (500..<600).contains(status), code != CURLE_LOGIN_DENIED {
            throw failure(.refused, code)
        }
        guard code == CURLE_OK else { throw refusal(code) ?? failure(Self.meaning(of: code), code) }
        guard request.scheme.hasPrefix("http") else { return try closed() }
        switch status {
        case 401: throw failure(.login, code)
        case 403: throw failure(.forbidden, code)
        case 404, 410: throw failure(.missing, code)
        // A redirect that was not followed did nothing of what was asked.
        case 300..<600: throw failure(.answer, code)
        default: return try closed()
        }
    }

    private func failure(_ meaning: TransferError.Code, _ code: CURLcode) -> TransferError {
        var facts = ["detail": answer.status == 0 ? unsafe String(cString: curl_easy_strerror(code)) : ""]
        if answer.status != 0 { facts["detail"] = "\(answer.status)" }
        if let shownKey { facts["key"] = shownKey }
        return TransferError(meaning, facts, at: place, retry: Self.advice(meaning, status: answer.status))
    }

    /// What a mailbox server refused; nil where it did not, or where libcurl knows of something that came behind that.
    private func refusal(_ code: CURLcode) -> TransferError? {
        let general = Self.meaning(of: code)
        guard let reply = replies.refusal, [.login, .missing, .refused, .answer].contains(general) else {
            return nil
        }
        // libcurl takes a mailbox that is not selected for a login denied.
        let meaning = reply.meaning ?? (general == .login && request.isAdmitted ? .busy : general)
        return TransferError(
            meaning, ["detail": reply.code.isEmpty ? "NO" : reply.code], at: place,
            retry: Self.advice(meaning, status: 0))
    }

    private static func meaning(of code: CURLcode) -> TransferError.Code {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_TOO_MANY_REDIRECTS: .address
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: .unreachable
        case CURLE_OPERATION_TIMEDOUT, CURLE_FTP_ACCEPT_TIMEOUT: .silent
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING: .cut
        case CURLE_LOGIN_DENIED: .login
        case CURLE_PEER_FAILED_VERIFICATION: .certificate
        case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CONNECT_ERROR: .certificate
        case CURLE_REMOTE_FILE_NOT_FOUND, CURLE_FTP_COULDNT_RETR_FILE: .missing
        case CURLE_REMOTE_ACCESS_DENIED: .forbidden
        case CURLE_QUOTE_ERROR, CURLE_UPLOAD_FAILED, CURLE_REMOTE_DISK_FULL, CURLE_REMOTE_FILE_EXISTS:
            .refused
        default: .answer
        }
    }

    /// What heals by itself is tried again; what somebody must change is not.
    private static func advice(_ meaning: TransferError.Code, status: Int) -> RetryAdvice {
        switch meaning {
        case .unreachable, .silent, .cut, .length: .after(.seconds(60))
        case .answer:
            status == 0 || status >= 500 || [408, 425, 429].contains(status) ? .after(.seconds(300)) : .never
        case .busy: .after(.seconds(300))
        case .login: .reauthorize
        default: .never
        }
    }
}
