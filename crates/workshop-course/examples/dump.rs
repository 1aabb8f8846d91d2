fn main() {
    let a = std::env::args().nth(1).unwrap();
    let t = workshop_course::Tree::read(a.as_ref()).unwrap();
    let c = workshop_course::Course::load(&t);
    for d in &c.diagnostics {
        println!("{d}");
    }
    for p in &c.posts {
        println!("POST {} {:?}\n{}", p.title, p.date, p.body.html)
    }
    for p in &c.diagrams {
        println!("DIA {} {}\n{}", p.title, p.excerpt, p.body.html)
    }
    for e in &c.exercises {
        println!("EX {} {} {:?}", e.id, e.title, e.wrong)
    }
    println!("{:?}", c.tracks)
}
