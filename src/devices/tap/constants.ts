/** Numbers of Linux's TUN/TAP driver, of interface ioctls and of netlink, as all generic 64-bit ports have them. */

export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const IFF_TUN = 0x0001;
export const IFF_TAP = 0x0002;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
/** Refuse to attach to a device that exists. */
export const IFF_TUN_EXCL = 0x8000;

export const TUNSETIFF = 0x400454ca;
export const TUNSETOFFLOAD = 0x400454d0;

/** What TUNSETOFFLOAD says we take: unfinished checksums, TCP super-segments, also with ECN. */
export const TUN_F_CSUM = 0x01;
export const TUN_F_TSO4 = 0x02;
export const TUN_F_TSO6 = 0x04;
export const TUN_F_TSO_ECN = 0x08;

export const SIOCGIFFLAGS = 0x8913;
export const SIOCGIFMTU = 0x8921;
export const SIOCGIFINDEX = 0x8933;
/** The interface is administratively up. */
export const IFF_UP = 0x1;

export const AF_NETLINK = 16;
export const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | O_NONBLOCK | O_CLOEXEC;
export const NETLINK_ROUTE = 0;
export const RTMGRP_LINK = 1;

export const CLONE_NEWNET = 0x40000000;

/** struct ifreq: 16 bytes of name, then a union. */
export const IFREQ_SIZE = 40;
export const IFNAMSIZ = 16;

/** Errors the data path meets; others only get a sentence. */
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EBADFD = 77;
