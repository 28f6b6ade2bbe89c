#include "docs/snippets/socket_connection.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/frame_proto.h"

namespace skein {
namespace {

// How long a link that is over waits for a peer that takes nothing.
constexpr int kPatienceS = 10;

absl::Status Lost() { return absl::UnavailableError("the connection was lost"); }

bool ReadAll(int fd, char* into, size_t size) {
  while (size > 0) {
    const ssize_t n = recv(fd, into, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    into += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool WriteAll(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

std::string WithLength(const v1::Frame& message) {
  const auto size = static_cast<uint32_t>(message.ByteSizeLong());
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));  // both ends are on this machine
  message.AppendToString(&bytes);
  return bytes;
}

// Nothing if the connection is over. Its length is looked at before memory is taken.
std::optional<std::string> ReadMessage(int fd) {
  uint32_t size = 0;
  if (!ReadAll(fd, reinterpret_cast<char*>(&size), sizeof(size))) return std::nullopt;
  if (size > kMaxFrameBytes) return std::nullopt;
  std::string bytes(size, '\0');
  if (!ReadAll(fd, bytes.data(), size)) return std::nullopt;
  return bytes;
}

}  // namespace

void ThreadCount::Start(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  ++running_;
  std::thread([self = shared_from_this(), work = std::move(work)]() mutable {
    work();
    work = nullptr;
    std::lock_guard done(self->mutex_);
    --self->running_;
    self->changed_.notify_all();
  }).detach();
}

void ThreadCount::WaitForNone() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_ == 0; });
}

SocketConnection::SocketConnection(std::string address, int fd, std::shared_ptr<Executor> executor,
                                   std::shared_ptr<ThreadCount> threads)
    : address_(std::move(address)),
      executor_(std::move(executor)),
      threads_(std::move(threads)),
      fd_(fd) {}

SocketConnection::~SocketConnection() {
  if (fd_ >= 0) close(fd_);
}

void SocketConnection::Start(std::shared_ptr<LinkHandler> handler) {
  handler_ = std::move(handler);
  threads_->Start([self = shared_from_this()] { self->Read(); });
}

void SocketConnection::Send(Frame frame) {
  const size_t size = EncodedSize(frame);
  if (absl::Status fits = CheckFrameSize(frame, size); !fits.ok()) return Close(std::move(fits));
  v1::Frame message = FrameToProto(frame);
  std::lock_guard lock(mutex_);
  if (closed_here_ || read_ended_) return;
  window_.Add(size);
  queue_.push_back({std::move(message), size});
  changed_.notify_all();
}

bool SocketConnection::Writable() const {
  std::lock_guard lock(mutex_);
  return !closed_here_ && !read_ended_ && !window_.full();
}

// The writer sends what is queued, then the word of the end.
void SocketConnection::Close(absl::Status status) {
  std::lock_guard lock(mutex_);
  if (closed_here_) return;
  closed_here_ = true;
  if (!end_.has_value()) end_ = std::move(status);
  changed_.notify_all();
}

LinkStats SocketConnection::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void SocketConnection::SetOffered() {
  std::lock_guard lock(mutex_);
  offered_ = true;
}

bool SocketConnection::offered() const {
  std::lock_guard lock(mutex_);
  return offered_;
}

absl::Status SocketConnection::Connect() {
  if (fd_ >= 0) return absl::OkStatus();
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address_.empty() || address_.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError("'" + address_ + "' is no path of a socket");
  }
  std::memcpy(name.sun_path, address_.data(), address_.size());
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0 && connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("cannot reach '" + address_ +
                                "': " + std::generic_category().message(errno));
}

// The reader's thread: its whole life is that of the connection. The next message is read once the
// handler is done with the one before; so the socket fills up, and the sender waits.
void SocketConnection::Read() {
  if (absl::Status connected = Connect(); !connected.ok()) return End(std::move(connected));
  const timeval patience{kPatienceS, 0};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  threads_->Start([self = shared_from_this()] { self->Write(); });
  absl::Status end = Lost();
  while (const std::optional<std::string> bytes = ReadMessage(fd_)) {
    v1::Frame message;
    if (!message.ParseFromString(*bytes)) {
      end = absl::InvalidArgumentError("a message is no frame");
      break;
    }
    if (message.has_close()) {
      end = absl::Status(static_cast<absl::StatusCode>(message.close().code()),
                         message.close().message());
      break;
    }
    absl::StatusOr<Frame> frame = FrameFromProto(std::move(message));
    if (!frame.ok()) {
      end = frame.status();
      break;
    }
    {
      std::lock_guard lock(mutex_);
      stats_.bytes_received += bytes->size();
    }
    Deliver(*std::move(frame));
  }
  End(std::move(end));
}

void SocketConnection::Deliver(Frame frame) {
  std::shared_ptr<LinkHandler> handler;
  {
    std::lock_guard lock(mutex_);
    if (closed_here_) return;
    handler = handler_;
  }
  // Told of by the task's end, so also when an executor that has shut down drops it.
  auto done = std::make_shared<bool>(false);
  std::shared_ptr<void> at_the_end(nullptr, [this, done](void*) {
    std::lock_guard lock(mutex_);
    *done = true;
    changed_.notify_all();
  });
  executor_->Post([this, handler = std::move(handler), frame = std::move(frame),
                   guard = std::move(at_the_end)]() mutable {
    bool wanted = false;
    {
      std::lock_guard lock(mutex_);
      wanted = !closed_here_;
    }
    if (wanted) handler->OnFrame(std::move(frame));
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&done] { return *done; });
}

void SocketConnection::End(absl::Status status) {
  std::shared_ptr<LinkHandler> handler;
  {
    std::lock_guard lock(mutex_);
    read_ended_ = true;
    if (!end_.has_value()) end_ = std::move(status);
    status = *end_;
    handler = std::exchange(handler_, nullptr);
    changed_.notify_all();
  }
  executor_->Post(
      [handler = std::move(handler), status = std::move(status)] { handler->OnClosed(status); });
}

// The writer's thread. It is done when the word of the end has been sent, or nobody listens.
void SocketConnection::Write() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return read_ended_ || closed_here_ || !queue_.empty(); });
    if (read_ended_) break;
    Outgoing next;
    const bool last = queue_.empty();
    if (last) {
      next.message.mutable_close()->set_code(static_cast<int>(end_->code()));
      next.message.mutable_close()->set_message(Message(*end_));
    } else {
      next = std::move(queue_.front());
      queue_.pop_front();
      stats_.bytes_sent += next.size;
    }
    lock.unlock();
    const bool sent = WriteAll(fd_, WithLength(next.message));
    lock.lock();
    if (last || !sent) break;
    if (!window_.Remove(next.size) || closed_here_ || read_ended_) continue;
    executor_->Post([self = shared_from_this(), handler = handler_] {
      {
        std::lock_guard still(self->mutex_);
        if (self->closed_here_ || self->read_ended_) return;
      }
      handler->OnWritable();
    });
  }
  shutdown(fd_, SHUT_WR);
  // The peer answers with its own end, which is what the reader waits for.
  if (changed_.wait_for(lock, std::chrono::seconds(kPatienceS), [this] { return read_ended_; })) {
    return;
  }
  shutdown(fd_, SHUT_RDWR);
}

}  // namespace skein
