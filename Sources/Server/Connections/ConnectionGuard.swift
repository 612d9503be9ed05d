// SPDX-License-Identifier: Apache-2.0
// Watches over one connection: its place among others, its pace, and its end where a body is not wanted.

internal import Diagnostics
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Stands between the parser and the server of each connection; the time until a whole head has come is the server's own
/// time-out.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: OpenConnections
    private let patience: Duration
    private var pace: Pace
    private var id: Int?
    /// Requests whose answer is not whole yet.
    private var open = 0
    /// Bytes of the body that are still to come, as far as they were announced; nil once it is whole.
    private var rest: Int?
    /// Whether the answer that is on its way, or comes next, is the last one.
    private var isClosing = false
    /// Whether what comes is no longer read: a request behind the last one.
    private var isDeaf = false
    /// Bytes that came and nobody wants; nil as long as they are wanted.
    private var lingered: Int?
    private var beats: RepeatedTask?

    init(_ connections: OpenConnections, patience: Duration) {
        (self.connections, self.patience) = (connections, patience)
        pace = Pace(patience: patience)
    }

    // MARK: - Coming and going

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        id = connections.enter(context.channel)
        guard id != nil else { return context.close(promise: nil) }
        let option = ChannelOptions.socketOption(.so_sndbuf)
        _ = context.channel.setOption(option, value: .init(WebServer.Limits.sendBuffer))
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let id { connections.leave(id) }
        stopBeats()
        // What came of a body must not be taken for all of it.
        if rest != nil, lingered == nil { context.fireErrorCaught(ServerError(.incomplete)) }
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopBeats() }

    // MARK: - Requests

    func read(context: ChannelHandlerContext) {
        pace.ask(at: .now)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let lingered { return linger(lingered, unwrapInboundIn(data), context) }
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard !isClosing else { return isDeaf = true }
            // Where a body ends in any other coding is anybody's guess, and so is where a next request begins.
            let coding = head.headerFields[.transferEncoding]?.lowercased()
            isClosing = coding != nil && coding != "chunked"
            rest = head.headerFields[.contentLength].flatMap { Int($0) } ?? .max
            begin(context)
        case .body(let buffer):
            pace.take(buffer.readableBytes, at: .now)
            rest = rest.map { $0 == .max ? $0 : $0 - buffer.readableBytes }
        case .end:
            rest = nil
            if open == 0 { stopBeats() }
        }
        context.fireChannelRead(data)
    }

    /// What cannot be parsed is the last that is read. In a body, whoever reads that is told by an error of ours; in a
    /// head, the server answers by itself.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isClosing = true
        if open > 0, rest != nil {
            context.fireErrorCaught(ServerError(.incomplete))
        } else {
            rest = .max
            context.fireErrorCaught(error)
        }
    }

    private func begin(_ context: ChannelHandlerContext) {
        open += 1
        if let id { connections.work(id) }
        guard beats == nil else { return }
        pace = Pace(patience: patience)
        let values = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let time = TimeAmount(patience)
        beats = context.eventLoop.scheduleRepeatedTask(initialDelay: time, delay: time) { _ in
            let (handler, context) = values.value
            handler.beat(context)
        }
    }

    // MARK: - Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            // Of a body that is refused, the sender need not send all.
            isClosing = isClosing || (rest ?? 0) > WebServer.Limits.rest
            if isClosing { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            context.write(data, promise: promise)
            open = max(0, open - 1)
            if isClosing { end(context) } else if open == 0 { pause() }
        default: context.write(data, promise: promise)
        }
    }

    /// Nothing is asked for now.
    private func pause() {
        if let id { connections.rest(id) }
        if rest == nil { stopBeats() }
    }

    private func stopBeats() {
        beats?.cancel()
        beats = nil
    }

    /// Ends our side once all is sent.
    private func end(_ context: ChannelHandlerContext) {
        lingered = 0
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    /// What the other side still sends is taken for a while: with a reset it might lose the answer.
    ///
    /// - Source: RFC 9112, section 9.6.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.outputClosed? = event as? ChannelEvent, lingered != nil {
            let channel = context.channel
            if rest == nil {
                channel.close(promise: nil)
            } else {
                context.eventLoop.scheduleTask(in: min(TimeAmount(patience), .seconds(5))) {
                    channel.close(promise: nil)
                }
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func linger(_ count: Int, _ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head: break
        case .body(let buffer):
            lingered = count + buffer.readableBytes
            if count > WebServer.Limits.lingering { context.close(promise: nil) }
        case .end: context.close(promise: nil)
        }
    }

    // MARK: - Pace

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pace.drain()
        context.fireChannelWritabilityChanged()
    }

    private func beat(_ context: ChannelHandlerContext) {
        var pending: Int?
        if !context.channel.isWritable {
            pending = try? context.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)
        }
        switch pace.beat(at: .now, isReading: rest != nil && lingered == nil, pending: pending) {
        case .moves: break
        case .stuckAnswer: context.close(promise: nil)
        case .slowBody:
            // Whoever reads the body learns why it ends, and still answers; without an answer on its way, nobody does.
            isClosing = true
            guard open > 0 else { return context.close(promise: nil) }
            context.fireErrorCaught(ServerError(.slow))
        }
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        self = .nanoseconds(Int64(duration / .nanoseconds(1)))
    }
}
